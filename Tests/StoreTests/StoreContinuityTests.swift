import Access
import Foundation
import GRDB
import Store
import Testing

/// A file replaces the store in force only if it continues its state.
@Suite struct StoreContinuityTests {
    private typealias Bench = StoreReplacementTests.Bench

    /// The ways in which an older state replaces the store.
    enum Way: CaseIterable {
        case anotherFile
        case sameFile
    }

    private static func putBack(_ bench: Bench, _ way: Way) throws {
        switch way {
        case .anotherFile: bench.moveCopyIntoPlace()
        case .sameFile:
            try DatabaseQueue(path: bench.copy)
                .backup(to: DatabaseQueue(path: bench.temporary.path))
        }
    }

    private static func edit(_ bench: Bench, _ names: String...) throws {
        let command = try PermissionStore(path: bench.temporary.path, creates: false)
        for name in names { try command.addGroup(name, actor: "test") }
        command.close()
    }

    @Test(arguments: Way.allCases)
    func `an older store stays refused after further changes to it`(_ way: Way) async throws {
        let bench = try Bench()
        #expect(try await StoreReplacementTests.sees(bench.next()))
        try bench.makeCopy()
        try StoreReplacementTests.removeGrant(bench.temporary.store)
        #expect(try await !StoreReplacementTests.sees(bench.next()))
        try Self.putBack(bench, way)
        let first = try #require(await bench.nextWaiting())
        try Self.edit(bench, "Sekretariat", "Empfang", "Buchhaltung")
        var second = first
        while second.revision < first.revision + 3 {
            second = try #require(await bench.refusal(saying: "gatepost store accept")?.waiting)
        }
        // The administrator saw another revision.
        #expect(!bench.running.accept(first))
        #expect(bench.running.accept(second))
        #expect(try await StoreReplacementTests.sees(bench.next()))
    }

    @Test func `a diverged store is refused despite a higher revision`()
        async throws
    {
        let bench = try Bench()
        #expect(try await StoreReplacementTests.sees(bench.next()))
        try bench.makeCopy { store in
            for name in ["Sekretariat", "Empfang", "Buchhaltung"] {
                try store.addGroup(name, actor: "test")
            }
        }
        try StoreReplacementTests.removeGrant(bench.temporary.store)
        #expect(try await !StoreReplacementTests.sees(bench.next()))
        bench.moveCopyIntoPlace()
        #expect(await bench.nextWaiting() != nil)
    }

    @Test func `a store of the same revision that lacks audit records is refused`() async throws {
        let bench = try Bench()
        #expect(try await StoreReplacementTests.sees(bench.next()))
        try bench.makeCopy()
        // The record does not change the revision, and a look may not have seen it.
        let record = AuditRecord(event: "select", actor: "anna@kanzlei.example")
        try bench.running.audit([(.current, record)])
        bench.moveCopyIntoPlace()
        let waiting = try #require(await bench.nextWaiting())
        #expect(bench.running.accept(waiting))
        #expect(await bench.next()?.published != nil)
    }

    @Test func `only the waiting file can be accepted`() async throws {
        let bench = try Bench()
        #expect(try await StoreReplacementTests.sees(bench.next()))
        try bench.makeCopy()
        let file = try #require(FileIdentity(path: bench.copy))
        let revision = try bench.temporary.store.revision()
        let before = WaitingStore(file: file, revision: revision)
        // No file waits yet.
        #expect(!bench.running.accept(before))
        try StoreReplacementTests.removeGrant(bench.temporary.store)
        #expect(try await !StoreReplacementTests.sees(bench.next()))
        bench.moveCopyIntoPlace()
        #expect(await bench.nextWaiting() == before)
        // Another file with the same revision takes its place.
        let other = bench.copy + ".other"
        try FileManager.default.copyItem(atPath: bench.temporary.path, toPath: other)
        #expect(rename(other, bench.temporary.path) == 0)
        let next = try #require(await bench.nextWaiting())
        #expect(next.revision == before.revision && next.file != before.file)
        #expect(!bench.running.accept(before))
        #expect(bench.running.accept(next))
        #expect(try await StoreReplacementTests.sees(bench.next()))
    }

    @Test func `a store without records after retention continues`() async throws {
        let bench = try Bench()
        #expect(try await StoreReplacementTests.sees(bench.next()))
        let later = Moment(seconds: Moment.current.seconds + 86_400)
        #expect(
            try bench.running.deleteAudit(before: later, masterKey: bench.temporary.masterKey) > 0
        )
        try bench.temporary.store.addGroup("Sekretariat", actor: "test")
        #expect(await bench.next()?.published?.access.groups.count == 1)
        // The same holds for an edited copy.
        try bench.makeCopy { try $0.addGroup("Empfang", actor: "test") }
        bench.moveCopyIntoPlace()
        #expect(await bench.next()?.published?.access.groups.count == 2)
    }

    @Test func `a store without an audit record can be replaced`() async throws {
        let temporary = try PermissionStoreTests.Temporary()
        try temporary.store.sealAudit(temporary.masterKey, begins: true)
        let bench = try Bench(of: temporary)
        #expect(await bench.next()?.published != nil)
        try bench.makeCopy { try $0.addGroup("Sekretariat", actor: "test") }
        bench.moveCopyIntoPlace()
        #expect(await bench.next()?.published?.access.groups.count == 1)
    }

    @Test func `the original store is used again after a refused file`() async throws {
        let bench = try Bench()
        #expect(try await StoreReplacementTests.sees(bench.next()))
        let kept = bench.temporary.path + ".kept"
        try Data("no store".utf8).write(to: URL(fileURLWithPath: bench.copy))
        // The path has a file at every moment.
        #expect(link(bench.temporary.path, kept) == 0)
        bench.moveCopyIntoPlace()
        #expect(await bench.nextRefusal() != nil)
        #expect(rename(kept, bench.temporary.path) == 0)
        #expect(try await StoreReplacementTests.sees(bench.next()))
        try Self.edit(bench, "Sekretariat")
        #expect(await bench.next()?.published?.access.groups.count == 1)
    }

    @Test func `a file that could not be opened once is tried again`() async throws {
        let bench = try Bench()
        #expect(try await StoreReplacementTests.sees(bench.next()))
        try bench.makeCopy()
        // SQLite cannot open its index there.
        let index = bench.temporary.path + "-shm"
        #expect(unlink(index) == 0 && mkdir(index, 0o700) == 0)
        bench.moveCopyIntoPlace()
        #expect(await bench.refusal(saying: "cannot be opened as a store") != nil)
        #expect(rmdir(index) == 0)
        #expect(try await StoreReplacementTests.sees(bench.next()))
    }

    @Test func `a mail client's edit of an older store has no effect`() async throws {
        let bench = try Bench()
        #expect(try await StoreReplacementTests.sees(bench.next()))
        try bench.makeCopy()
        try StoreReplacementTests.removeGrant(bench.temporary.store)
        #expect(try await !StoreReplacementTests.sees(bench.next()))
        _ = try bench.running.loadNext(bench.temporary.masterKey)
        try Self.putBack(bench, .sameFile)
        #expect(throws: StoreRefusal.self) {
            try bench.running.loadNext(bench.temporary.masterKey)
        }
    }

    // MARK: - The clock

    @Test func `a look that does not end is reported once, and the next one ends the silence`() {
        let start = ContinuousClock.now
        let watch = StoreWatch(silence: .milliseconds(800), from: start)
        var told = 0
        func check(after milliseconds: Int) {
            watch.check(at: start + .milliseconds(milliseconds)) { _ in told += 1 }
        }
        func endLook(_ begin: Int, _ end: Int) -> Bool? {
            var wasSilent: Bool?
            let isCurrent = watch.lookEnded(
                from: start + .milliseconds(begin),
                at: start + .milliseconds(end)
            ) { wasSilent = $0 }
            #expect(isCurrent == (wasSilent != nil))
            return wasSilent
        }
        check(after: 800)
        #expect(told == 0)
        check(after: 801)
        check(after: 900)
        #expect(told == 1)
        #expect(endLook(0, 5_000) == nil)
        #expect(endLook(5_000, 5_010) == true)
        #expect(endLook(5_200, 5_210) == false)
        // A large file answers first, and reading it takes longer.
        watch.answered(at: start + .milliseconds(5_900))
        check(after: 6_600)
        #expect(told == 1)
        check(after: 6_701)
        #expect(told == 2)
    }
}
