import Board
import DeviceProvisioning

// On a serial port the log shares its line with the provisioning frames; the host tells the two apart.

func write(_ text: StaticString) {
    board_log(text.utf8Start, text.utf8CodeUnitCount)
}

func write(_ text: UnsafePointer<CChar>) {
    var end = text
    while end.pointee != 0 { end += 1 }
    let length = end - text
    text.withMemoryRebound(to: UInt8.self, capacity: length) { board_log($0, length) }
}

func write(_ number: UInt32) {
    if number >= 10 { write(number / 10) }
    var digit = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10)
    board_log(&digit, 1)
}

/// Seconds between two signs of life on the console.
let heartbeat: UInt32 = 10

/// Serves the host until it is gone, which on a board is never.
func serve() {
    var nextHeartbeat = heartbeat
    while true {
        let received = board_receive()
        if received == BOARD_CLOSED { return }
        if received >= 0 { dp_receive(UInt8(truncatingIfNeeded: received)) }
        let uptime = board_uptime()
        if uptime >= nextHeartbeat {
            write("up ")
            write(uptime)
            write(" s\r\n")
            board_report()
            nextHeartbeat = uptime + heartbeat
        }
    }
}

board_start()
write("boot embedded-swift/")
write(dp_hal_board())
write(" ")
write(dp_hal_firmware())
write("\r\n")
if !dp_start() { write("provisioning did not start: storage, crypto or entropy failed\r\n") }
board_report()
serve()
