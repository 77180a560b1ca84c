import Access
import Foundation
import Testing

@testable import Store

/// The list of open transfers.
@Suite struct OpenTransferTests {
    private func transfer(_ office: Office, moves: Bool) throws -> Transfer {
        let snapshot = try office.store.load().access
        func mailbox(_ account: String, _ folder: String) throws -> Transfer.Mailbox {
            Transfer.Mailbox(
                account: try office.account(account, in: snapshot),
                folder: try Office.path(folder),
                uidValidity: 7
            )
        }
        return Transfer(
            moves: moves,
            source: try mailbox("info", "INBOX"),
            uids: [3, 4, 9],
            target: try mailbox("bob", "Akten/Alt"),
            uidNext: 12
        )
    }

    @Test func `an open transfer is listed with its mailboxes until it ends`() throws {
        let office = try Office()
        #expect(try office.store.openTransfers().isEmpty)
        let (copy, move) = (
            try self.transfer(office, moves: false), try self.transfer(office, moves: true)
        )
        let first = try #require(try office.store.recordTransfer(copy))
        let second = try #require(try office.store.recordTransfer(move))
        try office.store.setTransfer(second, state: .copied)
        try office.tamper("UPDATE transfer SET created = created - 601 WHERE id = ?", [second])
        let rows = try office.store.openTransfers()
        #expect(rows.map(\.id) == [second, first], "the oldest one first")
        #expect(rows.map(\.state) == ["copied", "begun"] && rows.map(\.moves) == [true, false])
        #expect(rows.map(\.interrupted) == [true, false])
        let row = try #require(rows.last)
        #expect(row.source == Office.full("info") && row.sourceFolder == "INBOX")
        #expect(row.target == Office.full("bob") && row.targetFolder == "Akten/Alt")
        #expect(row.messages == 3 && row.stored == 0)
        for id in [first, second] { try office.store.forgetTransfer(id) }
        #expect(try office.store.openTransfers().isEmpty)
    }

    @Test func `messages that the target confirmed are counted`() throws {
        let office = try Office()
        let id = try #require(try office.store.recordTransfer(self.transfer(office, moves: true)))
        for (source, stored) in [(3, 1), (4, 0), (9, 1)] {
            try office.tamper(
                """
                INSERT INTO transferCopy (transfer, append, source, octets, date, digest, stored)
                VALUES (?, 1, ?, 10, 0, ?, ?)
                """,
                [id, Int64(source), Data(repeating: 1, count: 32), Int64(stored)]
            )
        }
        #expect(try office.store.openTransfers().map(\.stored) == [2])
    }
}
