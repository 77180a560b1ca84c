import Access
import Store
import Testing

/// The journal of messages on their way from one account to another.
@Suite struct TransfersTests {
    private func place(_ account: Int64, _ folder: String) throws -> TransferRow.Place {
        TransferRow.Place(
            account: AccountID(account),
            folder: try #require(FolderPath(octets: Array(folder.utf8))),
            uidValidity: .max
        )
    }

    private func row(
        moves: Bool,
        _ source: TransferRow.Place,
        _ uids: [UInt32],
        _ target: TransferRow.Place
    ) -> TransferRow {
        TransferRow(
            state: "begun",
            moves: moves,
            source: source,
            uids: uids,
            target: target,
            uidNext: 41
        )
    }

    @Test func `an entry is what was written, until it is forgotten`() throws {
        let temporary = try PermissionStoreTests.Temporary()
        try temporary.addAccount("anna")
        try temporary.addAccount("bob")
        let store = temporary.store
        let revision = try store.load().access.revision
        var row = self.row(
            moves: true,
            try self.place(1, "INBOX"),
            [1, 300, .max],
            try self.place(2, "Büro")
        )
        let entry = try #require(try store.recordTransfer(row))
        #expect(try store.transfer(entry) == row)
        try store.setTransfer(entry, state: "copied", uids: [300])
        row.state = "copied"
        row.uids = [300]
        #expect(try store.transfer(entry) == row)
        #expect(try PermissionStore(path: temporary.path).transfers() == [entry])
        #expect(try store.load().access.revision == revision)
        try store.forgetTransfer(entry)
        #expect(try store.transfers().isEmpty)
        #expect(try store.transfer(entry) == nil)
    }

    /// Whether the second may begin while the first is not at its end.
    @Test(arguments: [
        (true, [1, 2], "Ziel", true, [2, 3], "Ziel", false),
        (true, [1, 2], "Ziel", false, [2, 3], "Anderswo", false),
        (false, [1, 2], "Ziel", true, [2, 3], "Anderswo", false),
        (false, [1, 2], "Ziel", false, [2, 3], "Ziel", false),
        (false, [1, 2], "Ziel", false, [2, 3], "Anderswo", true),
        (true, [1, 2], "Ziel", true, [3, 4], "Ziel", true),
    ])
    func `two do not take from each other`(
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
        let source = try self.place(1, "INBOX")
        let first = self.row(moves: moves, source, uids, try self.place(2, folder))
        let second = self.row(moves: movesToo, source, others, try self.place(2, otherFolder))
        _ = try #require(try temporary.store.recordTransfer(first))
        #expect((try temporary.store.recordTransfer(second) != nil) == mayBegin)
    }
}
