internal import CBOR
internal import DeviceProvisioning
internal import DeviceTestHAL
internal import SMP

extension FuzzTarget {
    /// The device library as a whole: what a host sends, with restarts and power cuts between.
    ///
    /// It answers to the end, keeps to the flash's rules, and loses its key only to a request that
    /// says so.
    static let device = FuzzTarget("device", maximumLength: 2048, usesBoard: true) { input in
        try BoardInMemory.use { board in
            try board.start()
            var choices = FuzzInput(input)
            var stepCount = 0
            while !choices.rest.isEmpty, stepCount < 24 {
                stepCount += 1
                let choice = choices.byte()
                switch choice % 8 {
                case 0 where choice & 0x10 != 0: board.receive(raw: choices.part())
                case 0 where choice & 0x20 != 0: board.receive(datagram: choices.part())
                case 0: try board.receive(choices.part())
                case 1: try board.restart()
                case 2:
                    let tears = [TEST_TEAR_NOTHING, TEST_TEAR_HALF, TEST_TEAR_DONE]
                    board.cutPower(after: choices.number() % 1024, tears[Int(choice >> 3) % 3])
                default:
                    let command = choices.byte()
                    try board.answer(
                        SMPHeader(
                            version: choice & 0x80 == 0 ? .v2 : .v1,
                            operation: choice & 0x40 == 0 ? .write : .read, length: 0,
                            group: command & 0x80 == 0 ? 8392 : 0, sequence: 9,
                            command: command & 0x0f),
                        choices.part())
                }
            }
            try board.checkAfterwards()
        }
    }

    /// The device's flash, whatever it holds: the device starts, and can be given new credentials.
    static let flash = FuzzTarget("flash", maximumLength: 2048, usesBoard: true) { input in
        try BoardInMemory.use { board in
            board.fill(input)
            _ = dp_start()
            for _ in 0..<2 {
                try board.checkAlive()
                try board.answer(.credential, BoardInMemory.credential)
                test_board_power_cycle()
                _ = dp_start()
            }
        }
    }
}

extension SMPHeader {
    fileprivate static let credential = SMPHeader(
        operation: .write, length: 0, group: DeviceContract.standardGroup, sequence: 9,
        command: DeviceContract.Command.credential)
}
