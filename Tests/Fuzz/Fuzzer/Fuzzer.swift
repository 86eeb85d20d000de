// libFuzzer, which brings `main`, around one decoder:
//
//     provision-fuzz                                        names them
//     provision-fuzz cbor [libFuzzer's options] [corpus …]
//
// `Scripts/fuzz` builds and runs it.

internal import FuzzDecoders
import Glibc

private let target = CommandLine.arguments.dropFirst().first.flatMap(FuzzTarget.named)

/// Takes the decoder's name from the arguments before libFuzzer reads them.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> Int32 {
    guard let target else {
        print(FuzzTarget.all.map(\.name).joined(separator: "\n"))
        exit(count.pointee > 1 ? 2 : 0)
    }
    // The name makes room for an option; a -max_len that follows has its way.
    arguments.pointee[1] = strdup("-max_len=\(target.maximumLength)")
    return 0
}

/// A broken property ends the process as a crash does, so that libFuzzer keeps the input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    do {
        try target?.check(Array(UnsafeBufferPointer(start: bytes, count: count)))
    } catch {
        fatalError("\(target?.name ?? ""): \(error)")
    }
    return 0
}
