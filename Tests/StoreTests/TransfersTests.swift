import Access
import Foundation
import GRDB
import Testing

@testable import Store

/// The journal of messages on their way from one account to another.
@Suite struct TransfersTests {
    private func mailbox(_ account: Int64, _ folder: String) throws -> Transfer.Mailbox {
        Transfer.Mailbox(
            account: AccountID(account),
            folder: try #require(FolderPath(octets: Array(folder.utf8))),
            uidValidity: .max
        )
    }

    private func row(
        moves: Bool,
        _ source: Transfer.Mailbox,
        _ uids: [UInt32],
        _ target: Transfer.Mailbox
    ) -> Transfer {
        Transfer(
            moves: moves,
            source: source,
            uids: uids,
            target: target,
            uidNext: 41
        )
    }

    @Test func `an entry keeps its values until it is deleted`() throws {
        let temporary = try PermissionStoreTests.Temporary()
        try temporary.addAccount("anna")
        try temporary.addAccount("bob")
        let store = temporary.store
        let revision = try store.load().access.revision
        var row = self.row(
            moves: true,
            try self.mailbox(1, "INBOX"),
            [1, 300, .max],
            try self.mailbox(2, "Büro")
        )
        let entry = try #require(try store.recordTransfer(row))
        #expect(try store.transfer(entry) == row)
        try store.setTransfer(entry, state: .copied, uids: [300])
        row.state = .copied
        row.uids = [300]
        #expect(try store.transfer(entry) == row)
        #expect(try temporary.reopened().transfers() == [entry])
        #expect(try store.load().access.revision == revision)
        try store.forgetTransfer(entry)
        #expect(try store.transfers().isEmpty)
        #expect(try store.transfer(entry) == nil)
    }

    /// Whether a second transfer may begin while the first is incomplete.
    @Test(arguments: [
        (true, [1, 2], "Ziel", true, [2, 3], "Ziel", false),
        (true, [1, 2], "Ziel", false, [2, 3], "Anderswo", false),
        // A COPY reserves nothing: a user who may only read cannot keep others from moving.
        (false, [1, 2], "Ziel", true, [2, 3], "Anderswo", true),
        (false, [1, 2], "Ziel", true, [2, 3], "Ziel", true),
        (false, [1, 2], "Ziel", false, [2, 3], "Ziel", true),
        (false, [1, 2], "Ziel", false, [2, 3], "Anderswo", true),
        (true, [1, 2], "Ziel", true, [3, 4], "Ziel", true),
    ])
    func `a MOVE reserves its messages, and a COPY does not`(
        _ moves: Bool,
        _ uids: [UInt32],
        _ folder: String,
        _ movesToo: Bool,
        _ others: [UInt32],
        _ otherFolder: String,
        _ mayBegin: Bool
    ) throws {
        let temporary = try PermissionStoreTests.Temporary()
        try temporary.addAccount("anna")
        try temporary.addAccount("bob")
        let source = try self.mailbox(1, "INBOX")
        let first = self.row(moves: moves, source, uids, try self.mailbox(2, folder))
        let second = self.row(moves: movesToo, source, others, try self.mailbox(2, otherFolder))
        _ = try #require(try temporary.store.recordTransfer(first))
        #expect((try temporary.store.recordTransfer(second) != nil) == mayBegin)
    }

    private func message(_ source: UInt32, _ octet: UInt8) -> Transfer.Message {
        Transfer.Message(
            source: source,
            octets: UInt64(Int64.max),
            date: -5,
            digest: MessageDigest(sha256: repeatElement(octet, count: 32))
        )
    }

    private func begun(_ store: PermissionStore) throws -> Int64 {
        let row = self.row(
            moves: false,
            try self.mailbox(1, "INBOX"),
            [1, 2, 3],
            try self.mailbox(2, "Ziel")
        )
        return try #require(try store.recordTransfer(row))
    }

    @Test func `a copy is open until its APPEND is answered`() throws {
        let temporary = try PermissionStoreTests.Temporary()
        try temporary.addAccount("anna")
        try temporary.addAccount("bob")
        let store = temporary.store
        let entry = try self.begun(store)
        try store.recordAppend(
            TransferAppend(
                number: 1,
                messages: [self.message(1, 7), self.message(2, 8)],
                previous: AppendOutcome(number: 0, answer: .missing)
            ),
            of: entry
        )
        #expect(
            try store.transfer(entry)?.copies.map(\.message) == [
                self.message(1, 7), self.message(2, 8),
            ]
        )
        // The next APPEND records the outcome of the first; a late refusal of another APPEND
        // deletes nothing.
        try store.recordAppend(
            TransferAppend(
                number: 2,
                messages: [self.message(3, 9)],
                previous: AppendOutcome(number: 1, answer: .stored(uids: [41, 43]))
            ),
            of: entry
        )
        try store.setTransfer(
            entry,
            state: .begun,
            last: AppendOutcome(number: 1, answer: .refused)
        )
        try store.setTransfer(
            entry,
            state: .begun,
            last: AppendOutcome(number: 3, answer: .refused)
        )
        let copies = try #require(try store.transfer(entry)).copies
        #expect(copies.map(\.uid) == [41, 43, nil])
        #expect(copies.map(\.isStored) == [true, true, false])
        #expect(try temporary.reopened().transfer(entry)?.copies == copies)
        // Copies found by digest are recorded before the deletion; recorded UIDs stay as they
        // are.
        try store.recordFound([3: 50, 1: 60], of: entry)
        #expect(try store.transfer(entry)?.copies.map(\.uid) == [41, 43, 50])
        try store.forgetTransfer(entry)
        let other = try self.begun(store)
        #expect(try store.transfer(other)?.copies == [])
    }

    @Test func `an answer with a wrong number of UIDs records none`() throws {
        let temporary = try PermissionStoreTests.Temporary()
        try temporary.addAccount("anna")
        try temporary.addAccount("bob")
        let store = temporary.store
        let entry = try self.begun(store)
        try store.recordAppend(
            TransferAppend(
                number: 1,
                messages: [self.message(1, 7), self.message(2, 8)],
                previous: AppendOutcome(number: 0, answer: .refused)
            ),
            of: entry
        )
        try store.setTransfer(
            entry,
            state: .begun,
            last: AppendOutcome(number: 1, answer: .stored(uids: [41]))
        )
        let copies = try #require(try store.transfer(entry)).copies
        #expect(copies.map(\.isStored) == [true, true] && copies.map(\.uid) == [nil, nil])
    }

    @Test func `a refused APPEND leaves no copy to delete`() throws {
        let temporary = try PermissionStoreTests.Temporary()
        try temporary.addAccount("anna")
        try temporary.addAccount("bob")
        let entry = try self.begun(temporary.store)
        try temporary.store.recordAppend(
            TransferAppend(
                number: 1,
                messages: [self.message(1, 7)],
                previous: AppendOutcome(number: 0, answer: .refused)
            ),
            of: entry
        )
        try temporary.store.setTransfer(
            entry,
            state: .begun,
            last: AppendOutcome(number: 1, answer: .refused)
        )
        #expect(try temporary.store.transfer(entry)?.copies == [])
    }

    @Test func `two transfers of the same messages to one mailbox are contested`() throws {
        let temporary = try PermissionStoreTests.Temporary()
        try temporary.addAccount("anna")
        try temporary.addAccount("bob")
        let store = temporary.store
        let (first, second) = (try self.begun(store), try self.begun(store))
        #expect(try store.transfer(first)?.isContested == true)
        #expect(try store.transfer(second)?.isContested == true)
        let elsewhere = self.row(
            moves: false,
            try self.mailbox(1, "INBOX"),
            [1],
            try self.mailbox(2, "Anderswo")
        )
        let third = try #require(try store.recordTransfer(elsewhere))
        #expect(try store.transfer(third)?.isContested == false)
    }

    @Test func `at most a thousand records of left copies are kept`() throws {
        let temporary = try PermissionStoreTests.Temporary()
        try temporary.addAccount("anna")
        try temporary.addAccount("bob")
        let store = temporary.store
        for _ in 0..<1_003 { try store.leaveTransfer(try self.begun(store), messages: 3) }
        #expect(try store.transfers().isEmpty)
        let left = try store.copiesLeft()
        #expect(left.count == 1_000)
        #expect(left.first?.folder == FolderPath(octets: Array("Ziel".utf8)))
        #expect(left.first?.messages == 3)
        #expect(left.first?.account == "bob@kanzlei.example")
    }

    @Test func `an entry of an earlier version has no recorded copies`() throws {
        let temporary = try PermissionStoreTests.Temporary()
        let path = temporary.folder.appendingPathComponent("earlier.sqlite").path
        let queue = try DatabaseQueue(path: path)
        try Schema.migrator.migrate(queue, upTo: "2026-11-25 audit log, roles, notices")
        try queue.write { database in
            try database.execute(
                sql: """
                    INSERT INTO account (id, kind, imapHost, imapPort, imapTLS, username)
                        VALUES (1, 'imap', 'a.example', 993, 'implicit', 'a'),
                            (2, 'imap', 'b.example', 993, 'implicit', 'b');
                    INSERT INTO transfer (state, moves, source, sourceFolder, sourceValidity, uids,
                        target, targetFolder, targetValidity, uidNext, created)
                        VALUES ('begun', 1, 1, x'494E424F58', 7, x'00000003', 2, x'494E424F58', 9,
                            41, 5);
                    INSERT INTO notice (account, subject, text, created)
                        VALUES (1, 'a', 'b', 5), (1, 'c', 'd', 5);
                    """
            )
        }
        try queue.close()
        let store = try PermissionStore(path: path)
        let entry = try #require(try store.transfers().first)
        let row = try #require(try store.transfer(entry))
        #expect(!row.recordsCopies && row.copies.isEmpty && row.uids == [3])
        let tokens = try store.notices().map(\.token)
        #expect(Set(tokens).count == 2 && tokens.allSatisfy { $0.count == 16 })
    }
}
