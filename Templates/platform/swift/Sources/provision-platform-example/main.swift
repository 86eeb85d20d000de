// An adapter: it flashes a board, reads its ID and carries its bytes, for `provision`.
//
// Copy this package, name its product provision-platform-NAME, change the platform's keys and what stands in
// FolderBoard.swift, and look with `provision check .build/debug/provision-platform-NAME`.
import Foundation
import PlatformAdapter
import Provisioning

// The keys of a platform file, without "name": that is the program's.
let platform: [(key: String, value: AdapterLine.Value)] = [
    ("description", .text("A board in a folder, by an adapter in Swift")),
    ("board", .text(ProcessInfo.processInfo.environment["EXAMPLE_BOARD"] ?? "native")),
    (
        "credentials",
        .object([
            .init("types", .texts(["x509", "cwt"])), .init("trust-anchors", .flag(true)),
        ])
    ),
]

AdapterServer(platform: platform) { selection, progress in
    // `provision check` offers a simulated board. Yours comes here.
    let folder = FolderBoard(selection.simulated ?? selection.port)
    var board = AdapterBoard { _ throws(ProvisioningError) in
        try DescriptorChannel(folder.path(of: "console"))
    }
    board.flasher = FolderFlasher(board: folder, progress: progress)
    board.erases = true
    board.idReader = folder
    board.reset = folder.reset
    return board
}.run()
