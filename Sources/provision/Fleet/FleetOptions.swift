import ArgumentParser
import Foundation
import Platforms
import Provisioning

/// Several boards at once. They are those that `--all` finds and those that `--board` names.
struct FleetOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "All attached boards that match --platform, or any platform, side by side and without the "
                + "console; of an emulated platform, as many as --instances says."))
    var all = false

    @Option(
        name: .customLong("board"),
        help: ArgumentHelp(
            "This board, too: PLATFORM, PLATFORM@PORT or, emulated, PLATFORM:INSTANCE; with its GDB "
                + "server, PLATFORM@gdb:HOST:PORT or PLATFORM@PORT@gdb:HOST:PORT. Repeatable.",
            valueName: "board"),
        completion: .shellCommand("provision boards --names"), transform: { try BoardName($0) })
    var boards: [BoardName] = []

    @Option(
        help: ArgumentHelp(
            "How many boards of an emulated platform: PLATFORM-1 and so on.", valueName: "count"))
    var instances: Int?

    @Option(
        help: ArgumentHelp(
            "How many boards at a time. Default: 64, or four for each core where QEMU plays some.",
            valueName: "count"))
    var jobs: Int?

    var isAsked: Bool { all || !boards.isEmpty }

    private static let maximumCount = 1000

    func validate() throws {
        for (option, value) in [("--instances", instances), ("--jobs", jobs)] {
            guard let value, !(1...Self.maximumCount).contains(value) else { continue }
            throw ValidationError("\(option) is 1 to \(Self.maximumCount), not \(value)")
        }
        if instances != nil, !all { throw ValidationError("--instances goes with --all") }
        if jobs != nil, !isAsked { throw ValidationError("--jobs goes with --all or --board") }
    }

    /// What names one board names not all of them.
    func check(_ connection: ConnectionOptions) throws {
        guard isAsked else { return }
        let single = [
            ("--port", connection.port), ("--probe", connection.probe),
            ("--probe-serial", connection.probeSerial), ("--usb-serial", connection.usbSerial),
            ("--device", connection.device?.description), ("--instance", connection.instance),
        ]
        if let option = single.first(where: { $0.1 != nil })?.0 {
            throw ValidationError(
                "\(option) is for one board; several are named by --board PLATFORM@PORT, "
                    + "--board PLATFORM@gdb:HOST:PORT or --board PLATFORM:INSTANCE")
        }
    }

    func jobCount(for boards: [FleetBoard]) -> Int {
        if let jobs { return min(jobs, boards.count) }
        let isEmulating = boards.contains { board in
            if case .qemu = board.choice.platform.emulation { true } else { false }
        }
        // A board on a cable waits for its line; one that QEMU plays needs a core while it starts.
        let limit = isEmulating ? max(8, 4 * ProcessInfo.processInfo.activeProcessorCount) : 64
        return min(limit, boards.count)
    }
}

/// One of several boards.
struct FleetBoard: Sendable {
    /// No other of them is called that.
    let name: String
    let choice: BoardChoice
    /// What it takes for itself; each must be no other board's.
    let places: [String]

    static func platforms(of boards: [FleetBoard]) -> [Platform] {
        Set(boards.map(\.choice.platform)).sorted { $0.name < $1.name }
    }
}
