import Channels
import Foundation
import Testing

@Suite struct DebugProbesTests {
    @Test func listsProbesAndNothingElse() throws {
        let folder = try TemporaryFolder()
        let devices = [
            ("1-1", "0d28", "0204", "BBC micro:bit CMSIS-DAP"), ("1-2", "1366", "0105", "J-Link"),
            ("1-3", "0483", "374b", "STM32 STLink"), ("1-4", "046d", "c52b", "Receiver"),
            ("1-5", "xyz", "0204", "CMSIS-DAP"),
        ]
        for (name, vendor, product, title) in devices {
            let path = "\(folder.path)/sys/bus/usb/devices/\(name)"
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
            for (file, text) in [("idVendor", vendor), ("idProduct", product), ("product", title)] {
                try Data("\(text)\n".utf8).write(to: URL(filePath: "\(path)/\(file)"))
            }
        }
        let probes = DebugProbes.list(system: "\(folder.path)/sys")
        #expect(
            probes.map(\.product) == ["BBC micro:bit CMSIS-DAP", "J-Link", "STM32 STLink"])
        #expect(DebugProbes.list(system: "\(folder.path)/nothing").isEmpty)
    }
}
