import Access
import Foundation
import GRDB
import Store
import Testing

/// Replacing, removing and overwriting a store's file while a gateway has it open.
@Suite(.timeLimit(.minutes(20))) struct StoreReplacementTests {
    /// A store with a grant, sealed as `init` does it, and its follower.
    final class Bench {
        let temporary: PermissionStoreTests.Temporary
        let running: PermissionStore
        private let changes: AsyncStream<StoreChange>

        convenience init() throws {
            let temporary = try PermissionStoreTests.Temporary()
            try temporary.addUsers("anna", "bob")
            try temporary.addAccount("bob", owner: "bob")
            try temporary.grant("bob", "anna@kanzlei.example")
            try temporary.store.sealAudit(temporary.masterKey, begins: true)
            try self.init(of: temporary)
        }

        init(of temporary: PermissionStoreTests.Temporary) throws {
            self.temporary = temporary
            self.running = try PermissionStore(path: temporary.path, creates: false)
            self.changes = self.running.changes(
                every: .milliseconds(20),
                silence: .seconds(3_600),
                masterKey: temporary.masterKey
            )
        }

        var copy: String { self.temporary.folder.appendingPathComponent("copy.sqlite").path }

        /// The next change that the gateway receives. Delays are measured where a gateway has
        /// its own process.
        func next() async -> StoreChange? {
            var iterator = self.changes.makeAsyncIterator()
            return await iterator.next()
        }

        /// The next refusal with this text; reports of intermediate steps are skipped.
        func refusal(saying text: String) async -> StoreRefusal? {
            while case .unreadable(let refusal) = await self.next() {
                if refusal.description.contains(text) { return refusal }
            }
            return nil
        }

        /// The next file that waits for an administrator; reports of intermediate steps are skipped.
        func nextWaiting() async -> WaitingStore? {
            while case .unreadable(let refusal) = await self.next() {
                if let waiting = refusal.waiting { return waiting }
            }
            return nil
        }

        func nextRefusal() async -> StoreRefusal? {
            guard case .unreadable(let refusal) = await self.next() else { return nil }
            return refusal
        }

        /// Makes and changes a copy of the database file.
        func makeCopy(_ change: (PermissionStore) throws -> Void = { _ in }) throws {
            try? FileManager.default.removeItem(atPath: self.copy)
            try FileManager.default.copyItem(atPath: self.temporary.path, toPath: self.copy)
            let store = try PermissionStore(path: self.copy, creates: false)
            try change(store)
            store.close()
        }

        /// Replaces the file by a rename, as `mv` and rsync do.
        func moveCopyIntoPlace() {
            #expect(rename(self.copy, self.temporary.path) == 0)
        }
    }

    static func removeGrant(_ store: PermissionStore) throws {
        _ = try store.removeGrants(
            account: "bob@kanzlei.example",
            subject: "anna@kanzlei.example",
            view: true,
            send: true,
            actor: "test"
        )
    }

    static func sees(_ change: StoreChange?) throws -> Bool {
        let snapshot = try #require(change?.published?.access)
        let anna = try #require(Address("anna@kanzlei.example".utf8).flatMap(snapshot.user))
        return !snapshot.accounts(visibleTo: anna.id, at: .current).isEmpty
    }

    @Test func `a file moved to the store's path takes effect`()
        async throws
    {
        let bench = try Bench()
        #expect(try await Self.sees(bench.next()))
        try bench.makeCopy(Self.removeGrant)
        let before = bench.running.file
        bench.moveCopyIntoPlace()
        #expect(try await !Self.sees(bench.next()))
        #expect(bench.running.file != before)
        #expect(bench.running.file == FileIdentity(path: bench.temporary.path))
        // Later edits are read from the new file.
        let command = try PermissionStore(path: bench.temporary.path, creates: false)
        try command.addGroup("Sekretariat", actor: "test")
        #expect(await bench.next()?.published?.access.groups.count == 1)
        #expect(try command.integrityProblem() == nil)
    }

    @Test func `a removed store is reported and takes effect when it is back`()
        async throws
    {
        let bench = try Bench()
        #expect(try await Self.sees(bench.next()))
        #expect(rename(bench.temporary.path, bench.copy) == 0)
        #expect(await bench.refusal(saying: "there is no store") != nil)
        #expect(rename(bench.copy, bench.temporary.path) == 0)
        #expect(try await Self.sees(bench.next()))
    }

    @Test func `an older file is refused until an administrator accepts it`() async throws {
        let bench = try Bench()
        #expect(try await Self.sees(bench.next()))
        try bench.makeCopy()
        try Self.removeGrant(bench.temporary.store)
        let newer = try #require(await bench.next()?.published)
        #expect(try !Self.sees(.published(newer)))
        bench.moveCopyIntoPlace()
        let older = try #require(await bench.nextWaiting())
        #expect(older.revision < newer.access.revision)
        #expect(older.file == FileIdentity(path: bench.temporary.path))
        #expect(bench.running.accept(older))
        let accepted = try #require(await bench.next()?.published)
        #expect(try Self.sees(.published(accepted)))
        // The snapshot of the earlier file does not come back.
        #expect(newer.isOlder(than: accepted) && !accepted.isOlder(than: newer))
    }

    @Test func `an older state restored into the same file is refused`() async throws {
        let bench = try Bench()
        #expect(try await Self.sees(bench.next()))
        try bench.makeCopy()
        try Self.removeGrant(bench.temporary.store)
        #expect(try await !Self.sees(bench.next()))
        try DatabaseQueue(path: bench.copy).backup(to: DatabaseQueue(path: bench.temporary.path))
        #expect(bench.running.accept(try #require(await bench.nextWaiting())))
        #expect(try await Self.sees(bench.next()))
    }

    @Test(arguments: ["key", "text", "empty", "newer", "other"])
    func `a file that is not this gateway's store is refused`(kind: String) async throws {
        let bench = try Bench()
        #expect(try await Self.sees(bench.next()))
        let says: String
        switch kind {
        case "key":
            try bench.makeCopy { try $0.sealAudit(MasterKey(), begins: true) }
            says = "not sealed with this master key"
        case "text":
            try Data(String(repeating: "no store ", count: 1_000).utf8)
                .write(to: URL(fileURLWithPath: bench.copy))
            says = "cannot be opened as a store"
        case "empty":
            try Data().write(to: URL(fileURLWithPath: bench.copy))
            says = "it is not a store"
        case "newer":
            try bench.makeCopy()
            try await DatabaseQueue(path: bench.copy).write {
                try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('2999-01-01 later')")
            }
            #expect(throws: StoreError.self) { try PermissionStore(path: bench.copy) }
            says = "newer version"
        default:
            // In another installation's store a number denotes another user.
            try bench.makeCopy { store in
                try store.removeUser("anna@kanzlei.example", actor: "test")
                try store.addUser(NewUser("eve@kanzlei.example"), actor: "test")
            }
            try await DatabaseQueue(path: bench.copy).write {
                try $0.execute(sql: "UPDATE user SET id = 1 WHERE login LIKE 'eve%'")
            }
            says = "another installation's store"
        }
        bench.moveCopyIntoPlace()
        let refusal = try #require(await bench.refusal(saying: says))
        #expect(refusal.waiting == nil)
    }

    @Test func `nothing is written to a replaced file`() async throws {
        let bench = try Bench()
        #expect(try await Self.sees(bench.next()))
        let command = try PermissionStore(path: bench.temporary.path, creates: false)
        try bench.makeCopy()
        bench.moveCopyIntoPlace()
        let error = #expect(throws: StoreError.self) { try Self.removeGrant(command) }
        #expect(error?.description.contains("the store was replaced") == true)
        try FileManager.default.removeItem(atPath: bench.temporary.path)
        #expect(throws: StoreError.self) { try Self.removeGrant(command) }
        #expect(throws: StoreError.self) {
            try PermissionStore(path: bench.temporary.path, creates: false)
        }
        #expect(!FileManager.default.fileExists(atPath: bench.temporary.path))
    }

    /// SQLite would apply the pages of a write-ahead log to whatever file is at the path.
    @Test func `the database file has every committed change`() throws {
        let bench = try Bench()
        let reading = DispatchSemaphore(value: 0)
        // A reader during the edit keeps SQLite from moving it out of the write-ahead log.
        let reader = try DatabaseQueue(path: bench.temporary.path)
        let thread = Thread {
            try? reader.read { database in
                _ = try Int.fetchOne(database, sql: "SELECT count(*) FROM user")
                reading.signal()
                usleep(50_000)
            }
        }
        thread.start()
        reading.wait()
        try bench.temporary.store.addGroup("Sekretariat", actor: "test")
        let octets = try Data(contentsOf: URL(fileURLWithPath: bench.temporary.path))
        try octets.write(to: URL(fileURLWithPath: bench.copy))
        let groups = try PermissionStore(path: bench.copy, creates: false).groups().map(\.name)
        #expect(groups == ["Sekretariat"])
    }
}
