// libFuzzer, which brings `main`, around one decoder:
//
//     provision-fuzz                                                  names them
//     provision-fuzz --decoder=cbor [libFuzzer's options] [corpus …]
//
// `Scripts/fuzz` builds and runs it.

internal import FuzzDecoders
import Glibc

/// libFuzzer ignores what begins with two hyphens, and gives it to the processes that it starts.
private let target = CommandLine.arguments.first { $0.hasPrefix("--decoder=") }
    .flatMap { FuzzTarget.named(String($0.dropFirst("--decoder=".count))) }

/// Called before libFuzzer reads the arguments.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> Int32 {
    guard let target else {
        print(FuzzTarget.all.map(\.name).joined(separator: "\n"))
        exit(count.pointee > 1 ? 2 : 0)
    }
    // For the life of the process.
    let longer = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
        capacity: Int(count.pointee) + 2)
    longer[0] = arguments.pointee[0]
    longer[1] = strdup("-max_len=\(target.maximumLength)")
    for index in 1...Int(count.pointee) { longer[index + 1] = arguments.pointee[index] }
    arguments.pointee = longer
    count.pointee += 1
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
