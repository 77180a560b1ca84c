import Access
import Foundation
import Support
import Testing

@testable import Store

/// Copies for Sent folders that outlive the node which took the message.
@Suite struct StoredSentCopiesTests: Sendable {
    private let nodes: SharedStore

    init() throws {
        self.nodes = try SharedStore()
    }

    private static func copy(_ name: String, _ octets: Int = 6) -> StoredSentCopy {
        StoredSentCopy(
            name: name,
            account: AccountID(1),
            octets: UInt64(octets),
            messageID: "<\(name)@kanzlei.example>"
        )
    }

    /// Stores a copy whose message went out.
    private func send(_ name: String, by store: PermissionStore) throws {
        try store.storeSentCopy(Self.copy(name), from: self.file("octets"))
        #expect(try store.confirmSentCopy(name) == .own)
    }

    private func file(_ text: String) throws -> URL {
        URL(fileURLWithPath: try self.nodes.folder.write(text, as: "message"))
    }

    private func read(_ copy: StoredSentCopy, by store: PermissionStore) throws -> Data {
        let path = try self.nodes.folder.write("", as: "fetched")
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try store.readSentCopy(copy, into: handle)
        try handle.close()
        return try Data(contentsOf: URL(fileURLWithPath: path))
    }

    @Test(arguments: [0, 1, 262_143, 262_144, 262_145, 3_000_000])
    func `a message comes back octet for octet, whatever its size`(octets: Int) throws {
        let (one, other) = (try self.nodes.node("one"), try self.nodes.node("other"))
        var generator = Seeded(state: 3)
        let message = Data((0..<octets).map { _ in UInt8.random(in: 0...255, using: &generator) })
        let file = try self.file("")
        try message.write(to: file)
        let copy = Self.copy("1.a", octets)
        try one.storeSentCopy(copy, from: file)
        #expect(try one.confirmSentCopy("1.a") == .own)
        #expect(try one.ownSentCopies() == [copy])
        #expect(try self.read(copy, by: other) == message)
        try one.removeSentCopy("1.a")
        #expect(self.isMissing(copy, by: other) == (octets > 0))
    }

    private func isMissing(_ copy: StoredSentCopy, by store: PermissionStore) -> Bool {
        (try? self.read(copy, by: store)) == nil
    }

    @Test func `a copy whose message did not go out is nobody's to file`() throws {
        let (one, other) = (try self.nodes.node("one"), try self.nodes.node("other"))
        try one.storeSentCopy(Self.copy("1.a"), from: self.file("octets"))
        #expect(try one.ownSentCopies().isEmpty && one.unknownSentCopies().isEmpty)
        #expect(try self.nodes.takeOver(other) == [])
        #expect(try other.ownSentCopies().isEmpty)
        #expect(try other.unknownSentCopies() == [Self.copy("1.a")])
        // A third node shows it too, and does not take it either.
        let third = try self.nodes.node("third")
        #expect(try self.nodes.takeOver(third) == [])
        #expect(try third.unknownSentCopies() == [Self.copy("1.a")])
        // The node returns, and knows that the message went out.
        #expect(try one.confirmSentCopy("1.a") == .own)
        #expect(try one.ownSentCopies() == [Self.copy("1.a")])
        #expect(try third.unknownSentCopies().isEmpty)
    }

    @Test func `a copy of a dead node is one other node's, and not that node's any more`() throws {
        let (one, other) = (try self.nodes.node("one"), try self.nodes.node("other"))
        try self.send("1.a", by: one)
        #expect(try self.nodes.takeOver(other) == [])
        #expect(try other.ownSentCopies() == [Self.copy("1.a")])
        #expect(try one.ownSentCopies().isEmpty)
        #expect(try one.confirmSentCopy("1.a") == .other)
        #expect(try other.confirmSentCopy("1.a") == .own)
        // The name stays for the node that has the file.
        try one.removeSentCopy("1.a")
        #expect(try other.confirmSentCopy("1.a") == .own)
        try other.setFiledSentCopy("1.a")
        #expect(try one.confirmSentCopy("1.a") == .other)
        #expect(try other.confirmSentCopy("1.a") == .other)
        #expect(try other.ownSentCopies().isEmpty && self.isMissing(Self.copy("1.a"), by: other))
        #expect(throws: (any Error).self) {
            try one.storeSentCopy(Self.copy("1.a"), from: self.file("octets"))
        }
        // Not for ever.
        try self.nodes.psql("UPDATE sentcopy SET created = 1")
        try other.setFiledSentCopy("1.b")
        #expect(try one.confirmSentCopy("1.a") == .none)
    }

    @Test func `the node that filed a copy tells so although another one took it`() throws {
        let (one, other) = (try self.nodes.node("one"), try self.nodes.node("other"))
        for name in ["1.a", "1.b"] { try self.send(name, by: one) }
        try one.removeSentCopy("1.b", isFiled: true)
        #expect(try one.confirmSentCopy("1.b") == .none)
        _ = try self.nodes.takeOver(other)
        try one.removeSentCopy("1.a", isFiled: true)
        #expect(try other.ownSentCopies().isEmpty)
        #expect(try other.confirmSentCopy("1.a") == .other)
        #expect(self.isMissing(Self.copy("1.a"), by: other))
    }

    @Test func `of claimants at once exactly one gets each copy`() throws {
        let claimants = try (0..<4).map { try self.nodes.node("node\($0)") }
        for round in 0..<10 {
            let dead = try self.nodes.node("dead\(round)")
            let names = (0..<3).map { "1.\(round)-\($0)" }
            for name in names { try self.send(name, by: dead) }
            let watches = try claimants.map { try self.nodes.watch($0) }
            DispatchQueue.concurrentPerform(iterations: 4) { number in
                #expect(throws: Never.self) { _ = try watches[number].takeOver() }
            }
            let owned = try claimants.flatMap { try $0.ownSentCopies().map(\.name) }
            #expect(owned.sorted() == names)
            for name in names { try claimants[0].setFiledSentCopy(name) }
        }
    }

    @Test func `confirming a copy is a sign of life`() throws {
        let (one, other) = (try self.nodes.node("one"), try self.nodes.node("other"))
        try self.send("1.a", by: one)
        let leases = NodeLeases(time: .milliseconds(200))
        for _ in 0..<8 {
            _ = try other.takeOver(leases)
            Thread.sleep(forTimeInterval: 0.05)
            #expect(try one.confirmSentCopy("1.a") == .own)
        }
        #expect(try other.ownSentCopies().isEmpty)
    }

    @Test func `a new process of a node gets its copies back unless another node has them`() throws
    {
        let (one, other) = (try self.nodes.node("one"), try self.nodes.node("other"))
        try self.send("1.a", by: one)
        try self.send("1.b", by: one)
        let twin = try self.nodes.node("one")
        try self.nodes.signalLife(twin)
        #expect(try twin.confirmSentCopy("1.a") == .own)
        // The earlier process was only paused.
        #expect(throws: (any Error).self) { try one.confirmSentCopy("1.a") }
        _ = try self.nodes.takeOver(other)
        #expect(try twin.confirmSentCopy("1.b") == .other)
    }

    /// The rows are there again, and belong to a process that filed the copies before.
    @Test func `copies that an older state brings back are shown to their process`() throws {
        let one = try self.nodes.node("one")
        try self.send("1.a", by: one)
        try self.nodes.psql("CREATE TABLE backup AS SELECT * FROM sentcopy")
        try one.removeSentCopy("1.a")
        #expect(try one.ownSentCopies().isEmpty)
        try self.nodes.psql("INSERT INTO sentcopy SELECT * FROM backup; DROP TABLE backup")
        #expect(try one.ownSentCopies().map(\.name) == ["1.a"])
    }

    @Test func `a copy that an earlier process stored is not stored twice`() throws {
        let (one, other) = (try self.nodes.node("one"), try self.nodes.node("other"))
        try one.storeSentCopy(Self.copy("1.a"), from: self.file("octets"))
        _ = try self.nodes.takeOver(other)
        try one.storeSentCopy(Self.copy("1.a"), from: self.file("other!"))
        #expect(try one.confirmSentCopy("1.a") == .own)
        #expect(try self.read(Self.copy("1.a"), by: one) == Data("octets".utf8))
        // A copy that may be filed already is never offered again.
        #expect(throws: (any Error).self) {
            try one.storeSentCopy(Self.copy("1.a"), from: self.file("octets"))
        }
    }

    @Test func `a removed account takes its copies along`() throws {
        let one = try self.nodes.node("one")
        try self.send("1.a", by: one)
        try one.removeAccount("anna@kanzlei.example", actor: "test")
        #expect(try one.ownSentCopies().isEmpty)
        #expect(self.isMissing(Self.copy("1.a"), by: one))
    }

    @Test func `copies that wait are counted for doctor once they are late`() throws {
        let one = try self.nodes.node("one")
        try self.send("1.a", by: one)
        #expect(try one.waitingSentCopies(after: 60).isEmpty)
        try self.nodes.psql("UPDATE sentcopy SET created = created - 61")
        #expect(try one.waitingSentCopies(after: 60).map(\.name) == ["1.a"])
        // An answer of the mail server takes less time: its process has died.
        try one.storeSentCopy(Self.copy("1.b"), from: self.file("octets"))
        try self.nodes.psql("UPDATE sentcopy SET created = created - 700")
        #expect(try one.unknownSentCopies().map(\.name) == ["1.b"])
    }

    @Test func `a store with waiting copies is not copied`() throws {
        let one = try self.nodes.node("one")
        try self.send("1.a", by: one)
        let path = self.nodes.folder.path("target.sqlite")
        let target = try PermissionStore(path: path)
        #expect(throws: StoreError.self) { try one.copy(to: target) }
        try one.removeSentCopy("1.a")
        _ = try one.copy(to: target)
        #expect(try target.unknownSentCopies().isEmpty)
        #expect(try target.waitingSentCopies(after: 0).isEmpty)
    }
}
