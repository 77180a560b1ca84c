import Access
import Foundation
import GRDB
import Testing

@testable import Store

/// The journal's entries for the messages of a transfer, and reports of left copies.
@Suite struct TransferCopiesTests {
    private static func begun(_ office: Office, _ uids: [UInt32] = [1, 2, 3]) throws -> Int64 {
        let access = try office.store.load().access
        let transfer = Transfer(
            moves: false,
            source: Transfer.Mailbox(
                account: try office.account("bob", in: access),
                folder: try Office.path("INBOX"),
                uidValidity: 7
            ),
            uids: uids,
            target: Transfer.Mailbox(
                account: try office.account("info", in: access),
                folder: try Office.path("Ziel"),
                uidValidity: 9
            ),
            uidNext: 41
        )
        return try #require(try office.store.recordTransfer(transfer))
    }

    private static func append(
        _ number: Int,
        _ sources: [UInt32],
        previous: AppendOutcome.Answer
    ) -> TransferAppend {
        TransferAppend(
            number: number,
            messages: sources.map { source in
                Transfer.Message(
                    source: source,
                    octets: UInt64(source) * 1_000,
                    date: Int64(source),
                    digest: MessageDigest(sha256: repeatElement(UInt8(source), count: 32))
                )
            },
            previous: AppendOutcome(number: number - 1, answer: previous)
        )
    }

    /// Copies as `source:uid`, `?` for one whose answer is missing, `-` for one without a UID.
    private static func copies(_ office: Office, _ entry: Int64) throws -> [String] {
        try #require(try office.store.transfer(entry)).copies.map { copy in
            "\(copy.message.source):"
                + (copy.isStored ? copy.uid.map(String.init) ?? "-" : "?")
        }
    }

    /// The outcome of an APPEND of two messages, and the journal's entries after it.
    static let answers: [(AppendOutcome.Answer, [String])] = [
        (.missing, ["1:?", "2:?"]), (.refused, []), (.stored(uids: [41, 42]), ["1:41", "2:42"]),
        (.stored(uids: [42, 41]), ["1:42", "2:41"]), (.stored(uids: nil), ["1:-", "2:-"]),
        (.stored(uids: []), ["1:-", "2:-"]), (.stored(uids: [41]), ["1:-", "2:-"]),
        (.stored(uids: [41, 42, 43]), ["1:-", "2:-"]),
    ]

    @Test(arguments: answers)
    func `an answer is recorded with the next APPEND or the next state`(
        answer: AppendOutcome.Answer,
        expected: [String]
    ) throws {
        let office = try Office()
        let (first, second) = (try Self.begun(office), try Self.begun(office))
        for entry in [first, second] {
            try office.store.recordAppend(Self.append(1, [1, 2], previous: .refused), of: entry)
        }
        try office.store.recordAppend(Self.append(2, [3], previous: answer), of: first)
        #expect(try Self.copies(office, first) == expected + ["3:?"])
        let last = AppendOutcome(number: 1, answer: answer)
        try office.store.setTransfer(second, state: .begun, last: last)
        #expect(try Self.copies(office, second) == expected)
        // An outcome is final, and copies of another transfer are not affected.
        try office.store.setTransfer(
            second,
            state: .begun,
            last: AppendOutcome(number: 1, answer: .stored(uids: [98, 99]))
        )
        let open = answer == .missing
        #expect(try Self.copies(office, second) == (open ? ["1:98", "2:99"] : expected))
        #expect(try Self.copies(office, first) == expected + ["3:?"])
    }

    @Test func `an answer to another APPEND changes nothing`() throws {
        let office = try Office()
        let entry = try Self.begun(office)
        try office.store.recordAppend(Self.append(1, [1, 2], previous: .refused), of: entry)
        for number in [0, 2, -1, 99] {
            for answer in [AppendOutcome.Answer.refused, .stored(uids: [41, 42])] {
                let last = AppendOutcome(number: number, answer: answer)
                try office.store.setTransfer(entry, state: .begun, last: last)
            }
        }
        #expect(try Self.copies(office, entry) == ["1:?", "2:?"])
    }

    @Test func `copies found by digest are recorded only if they were open`() throws {
        let office = try Office()
        let entry = try Self.begun(office)
        try office.store.recordAppend(Self.append(1, [1], previous: .refused), of: entry)
        try office.store.recordAppend(
            Self.append(2, [2, 3], previous: .stored(uids: [41])),
            of: entry
        )
        try office.store.recordFound([1: 70, 2: 71, 9: 72], of: entry)
        #expect(try Self.copies(office, entry) == ["1:41", "2:71", "3:?"])
        let message = try #require(try office.store.transfer(entry)).copies[1].message
        #expect(message.octets == 2_000 && message.date == 2)
        #expect(message.digest.octets == [UInt8](repeating: 2, count: 32))
    }

    @Test func `recording for a missing transfer changes nothing`() throws {
        let office = try Office()
        let entry = try Self.begun(office)
        try office.store.forgetTransfer(entry)
        #expect(throws: (any Error).self) {
            try office.store.recordAppend(Self.append(1, [1], previous: .missing), of: entry)
        }
        #expect(throws: StoreError.self) { try office.store.setTransfer(entry, state: .copied) }
        if office.store.isShared {
            // Another node may have undone the transfer.
            #expect(throws: StoreError.self) { try office.store.recordFound([1: 2], of: entry) }
            #expect(throws: StoreError.self) {
                try office.store.leaveTransfer(entry, messages: 5)
            }
        } else {
            // Neither call is an error if there is nothing to do.
            try office.store.recordFound([1: 2], of: entry)
            try office.store.leaveTransfer(entry, messages: 5)
        }
        #expect(try office.store.copiesLeft().isEmpty)
    }

    @Test func `left copies are reported for thirty days while the account exists`() throws {
        let office = try Office()
        for messages in [3, 5] {
            try office.store.leaveTransfer(try Self.begun(office), messages: messages)
        }
        #expect(try office.store.transfers().isEmpty)
        let left = try office.store.copiesLeft()
        #expect(left.map(\.messages) == [5, 3])
        #expect(left.allSatisfy { $0.account == Office.full("info") })
        #expect(left.map(\.folder.description) == ["Ziel", "Ziel"])
        try office.tamper(
            "UPDATE copyLeft SET created = ? WHERE messages = 3",
            [Moment.current.seconds - 31 * 86_400]
        )
        #expect(try office.store.copiesLeft().map(\.messages) == [5])
        try office.store.removeAccount(Office.full("info"), actor: "test")
        #expect(try office.store.copiesLeft().isEmpty)
    }

    @Test func `a transfer counts as interrupted after the server's time to answer`() throws {
        let office = try Office()
        let entry = try Self.begun(office)
        #expect(try office.store.interruptedTransfers() == 0)
        for (age, count) in [(590, 0), (700, 1)] as [(Int64, Int)] {
            try office.tamper(
                "UPDATE transfer SET created = ? WHERE id = ?",
                [Moment.current.seconds - age, entry]
            )
            #expect(try office.store.interruptedTransfers() == count)
        }
    }
}
