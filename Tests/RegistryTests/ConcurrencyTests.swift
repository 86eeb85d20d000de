import Foundation
import GRDB
import Provisioning
import Synchronization
import Testing

@testable import Registry

/// Runs `body` on so many threads at once; dispatch would run as many as there are cores.
private func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for number in 0..<count {
        group.enter()
        Thread.detachNewThread {
            body(number)
            group.leave()
        }
    }
    group.wait()
}

@Suite struct ConcurrencyTests {
    let files = try! TemporaryRegistry()

    /// Every thread opens the file itself, some while it does not exist: as processes do.
    @Test func `16 threads with registries of their own lose nothing`() throws {
        let threads = 16
        let registrations = 25
        let failures = Mutex<[String]>([])
        onThreads(threads) { thread in
            do {
                let registry = try SQLiteRegistry(path: files.path)
                for number in 0..<registrations {
                    let key = thread * registrations + number
                    _ = try registry.register(claim(key, device: identity(key)), at: noon)
                    try registry.record([credential(key)], for: thumbprint(key), at: noon)
                    try registry.activate(thumbprint(key), confirmation: [1], at: noon)
                    // All fight for one device, and for the keys of one another.
                    _ = try registry.register(claim(10_000 + key, device: identity(-1)), at: noon)
                }
            } catch { failures.withLock { $0.append("\(error)") } }
        }
        #expect(failures.withLock { $0 } == [])
        let registry = try files.open()
        let statistics = try registry.statistics()
        let total = threads * registrations
        #expect(statistics.deviceCount == total + 1)
        #expect(statistics.keyCounts == [.active: total, .pending: 1, .revoked: total - 1])
        #expect(statistics.credentialsInForceCount == total)
        #expect(try registry.checkIntegrity().findings == [])
    }

    /// A thread that waits for half a minute asks thirty thousand times whether to go on.
    @Test func `Asking whether to go on is no deeper a call each time`() {
        let asker = pthread_self()
        let depths = Mutex<[Int]>([])
        SQLiteRegistry.endWaits {
            // Others wait, too.
            if pthread_equal(pthread_self(), asker) != 0 {
                depths.withLock { $0.append(Thread.callStackReturnAddresses.count) }
            }
            return false
        }
        defer { SQLiteRegistry.endWaits { false } }
        for _ in 0..<10 { #expect(!SQLiteRegistry.isInterrupted) }
        let found = depths.withLock { $0 }
        #expect(found.count == 10 && Set(found).count == 1 && found[0] > 0, "\(found)")
    }

    /// Four processes make the file and fill it at once.
    @Test func `Processes lose nothing`() async throws {
        let path = files.path
        await withTaskGroup { group in
            for process in 0..<4 {
                group.addTask {
                    await #expect(processExitsWith: .success) {
                        [path = path as String, process = process as Int] in
                        let registry = try SQLiteRegistry(path: path)
                        for number in 0..<25 {
                            let key = process * 25 + number
                            _ = try registry.register(claim(key, device: identity(0)), at: noon)
                        }
                    }
                }
            }
        }
        let registry = try files.open()
        #expect(try registry.checkIntegrity().findings == [])
        let statistics = try registry.statistics()
        #expect(statistics.keyCounts[.pending] == 1)
        #expect(statistics.keyCounts[.revoked] == 99)
    }

    @Test func `The same key from many threads is registered once`() throws {
        let registry = try files.open()
        let news = Mutex(0)
        onThreads(16) { _ in
            let record = try? registry.register(claim(1, device: identity(1)), at: noon)
            if record?.isNew == true { news.withLock { $0 += 1 } }
        }
        #expect(news.withLock { $0 } == 1)
        #expect(try registry.verify().eventCount == 2)
    }

    /// They share transactions: whoever is refused must not take the others along.
    @Test func `Threads that are refused change nothing, and the others all`() throws {
        let registry = try files.open()
        _ = try registry.register(claim(0, device: identity(0)), at: noon)
        let refused = Mutex<[ErrorCode]>([])
        let kept = Mutex(0)
        onThreads(64) { number in
            do {
                // Every second one fails after its device was added.
                var own = claim(number + 1, device: identity(number + 1))
                if !number.isMultiple(of: 2) { own.publicKey = [4] }
                _ = try registry.register(own, at: noon)
                let seen = try registry.key(own.thumbprint)
                kept.withLock { $0 += seen == nil ? 0 : 1 }
            } catch {
                let code = (error as? ProvisioningError)?.code ?? .internalFailure
                refused.withLock { $0.append(code) }
            }
        }
        #expect(kept.withLock { $0 } == 32)
        #expect(refused.withLock { $0 } == [ErrorCode](repeating: .registryConflict, count: 32))
        #expect(try registry.statistics().deviceCount == 33)
        #expect(try registry.verify().findings == [])
    }

    @Test func `A snapshot stays as it is, though its receiver registers more`() throws {
        let registry = try files.open()
        for key in 1...3 { _ = try registry.register(claim(key, device: identity(key)), at: noon) }
        let snapshot = try registry.snapshot()
        var seen: [KeyState] = []
        try snapshot.forEachDevice { device in
            seen += device.keys.map(\.state)
            _ = try registry.register(claim(100 + seen.count, device: identity(3)), at: noon)
            _ = try registry.register(claim(-seen.count, device: identity(-seen.count)), at: noon)
        }
        // The third device has other keys by now, and three devices were added.
        #expect(seen == [.pending, .pending, .pending])
        #expect(try snapshot.keyCount() == 3)
        #expect(try registry.statistics().deviceCount == 6)
        #expect(try registry.snapshot().keyCount(matching: KeyFilter(state: .revoked)) == 3)
    }

    /// Its pages come from the log, which can't begin anew meanwhile.
    @Test func `A snapshot says that the log grows, once, and then the log begins anew`() throws {
        let registry = try files.open()
        func write(_ keys: Range<Int>) throws {
            for key in keys { _ = try registry.register(claim(key, device: identity(1)), at: noon) }
        }
        func size() throws -> Int64 {
            let attributes = try FileManager.default.attributesOfItem(atPath: files.path + "-wal")
            return try #require(attributes[.size] as? NSNumber).int64Value
        }
        // More pages than SQLite waits for before it copies them: 1,000.
        try write(0..<150)
        let notices = Mutex<[Int64]>([])
        let before = try size()
        let growth: Int64 = 1 << 20
        do {
            let snapshot = try registry.snapshot(noticedGrowth: growth) { size in
                notices.withLock { $0.append(size) }
            }
            try snapshot.forEachEvent { event in
                guard event.sequenceNumber.isMultiple(of: 64) else { return }
                try write(Int(event.sequenceNumber) * 1000..<Int(event.sequenceNumber) * 1000 + 40)
            }
            #expect(try size() > before + growth)
        }
        #expect(notices.withLock { $0.count } == 1)
        #expect(notices.withLock { $0[0] } > before + growth)
        // The next writer copies it to the file, and those after it write from its beginning.
        try write(1_000_000..<1_000_002)
        let grown = try size()
        try write(1_000_002..<1_000_020)
        #expect(try size() == grown)
        #expect(try registry.checkIntegrity().findings == [])
    }

    @Test func `An aborted transaction leaves nothing`() throws {
        struct Abort: Error {}
        let registry = try files.open()
        _ = try registry.register(claim(1, device: identity(1)), at: noon)
        let before = try registry.verify().head
        #expect(throws: (any Error).self) {
            try registry.pool.write { database in
                let log = try EventLog(database: database, now: noon)
                _ = try log.keep([1, 2, 3])
                try log.append(.keyRevoked(.init(reason: 1)), to: 2)
                throw Abort()
            }
        }
        #expect(try registry.key(thumbprint(1))?.state == .pending)
        #expect(try registry.verify().head == before)
    }
}

/// Processes that are killed while they write: what they said is kept, and nothing half-done is.
@Suite struct CrashTests {
    /// The child replaces one device's key again and again, noting each answer, until it is killed.
    @Test(arguments: [20, 60, 150, 300]) func `kill -9 in the middle`(_ milliseconds: Int)
        async throws
    {
        let files = try TemporaryRegistry()
        _ = try files.open()
        let path = files.path
        let notes = files.folder + "/notes"
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, notes = notes as String, milliseconds = milliseconds as Int] in
            let registry = try SQLiteRegistry(path: path)
            let file = open(notes, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            for key in 0..<1_000_000 {
                _ = try registry.register(claim(key, device: identity(1)), at: noon)
                try registry.record(
                    [credential(key), credential(-key - 1, type: .cwt)],
                    for: thumbprint(key), at: noon)
                var number = Int64(key)
                write(file, &number, 8)
                guard key == 0 else { continue }
                Thread.detachNewThread {
                    usleep(UInt32(milliseconds) * 1000)
                    kill(getpid(), SIGKILL)
                }
            }
        }
        let noted = (FileManager.default.contents(atPath: notes)?.count ?? 0) / 8
        #expect(noted >= 1)
        let registry = try files.open()
        #expect(try registry.checkIntegrity().findings == [])
        for key in 0..<noted {
            #expect(try registry.credentials(of: thumbprint(key)).count == 2)
        }
        let counts = try registry.statistics().keyCounts
        #expect(counts[.pending] == 1)
        #expect((counts[.revoked] ?? 0) + 1 >= noted)
        // The next run goes on from there.
        _ = try registry.register(claim(-5, device: identity(1)), at: noon)
        #expect(try registry.verify().findings == [])
    }
}
