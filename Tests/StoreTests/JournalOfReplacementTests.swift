import Access
import Foundation
import GRDB
import Store
import Testing

/// The journal of transfers when another file replaces the store.
@Suite struct JournalOfReplacementTests {
    private static func row(_ uids: [UInt32]) throws -> Transfer {
        let mailbox = Transfer.Mailbox(
            account: AccountID(1),
            folder: try #require(FolderPath(octets: Array("INBOX".utf8))),
            uidValidity: 7
        )
        return Transfer(
            moves: true,
            source: mailbox,
            uids: uids,
            target: mailbox,
            uidNext: 41
        )
    }

    private static func message(_ source: UInt32) -> Transfer.Message {
        Transfer.Message(
            source: source,
            octets: 100,
            date: 0,
            digest: MessageDigest(sha256: repeatElement(1, count: 32))
        )
    }

    @Test func `the journal in force continues in a replacement file`()
        async throws
    {
        let bench = try StoreReplacementTests.Bench()
        #expect(await bench.next()?.published != nil)
        // One transfer is completed before its copy is put back.
        let ended = try #require(try bench.running.recordTransfer(Self.row([1])))
        try bench.makeCopy { try $0.addGroup("Sekretariat", actor: "test") }
        try bench.running.forgetTransfer(ended)
        let begun = try #require(try bench.running.recordTransfer(Self.row([2])))
        try bench.running.recordAppend(
            TransferAppend(
                number: 1,
                messages: [Self.message(2)],
                previous: AppendOutcome(number: 0, answer: .missing)
            ),
            of: begun
        )
        bench.moveCopyIntoPlace()
        #expect(await bench.next()?.published?.access.groups.count == 1)
        #expect(bench.running.file == FileIdentity(path: bench.temporary.path))
        #expect(try bench.running.transfers() == [begun])
        try bench.running.setTransfer(
            begun,
            state: .copied,
            last: AppendOutcome(number: 1, answer: .stored(uids: [50]))
        )
        let row = try #require(try bench.running.transfer(begun))
        #expect(row.state == .copied && row.copies.map(\.uid) == [50])
    }

    @Test func `a journal number denotes no other transfer in a restored state`() async throws {
        let bench = try StoreReplacementTests.Bench()
        #expect(await bench.next()?.published != nil)
        try bench.makeCopy()
        let begun = try #require(try bench.running.recordTransfer(Self.row([2])))
        try DatabaseQueue(path: bench.copy).backup(to: DatabaseQueue(path: bench.temporary.path))
        let other = try #require(try bench.running.recordTransfer(Self.row([3])))
        #expect(throws: StoreError.self) {
            try bench.running.setTransfer(begun, state: .copied, uids: [2])
        }
        #expect(throws: (any Error).self) {
            try bench.running.recordAppend(
                TransferAppend(
                    number: 1,
                    messages: [Self.message(2)],
                    previous: AppendOutcome(number: 0, answer: .missing)
                ),
                of: begun
            )
        }
        #expect(try bench.running.transfer(begun) == nil)
        #expect(try bench.running.transfer(other)?.state == .begun)
    }
}
