import Access
import NIOCore
import NIOPosix
import Session
import Testing

@testable import Gateway
@testable import Store

/// The journal of messages on their way between accounts: what is written, in which order, and what is told.
@Suite struct TransfersTests {
    private final class Bench: Sendable {
        let fixture: StoreFixture
        let transfers: Transfers
        let loop = MultiThreadedEventLoopGroup.singleton.next()

        init() throws {
            self.fixture = try StoreFixture()
            self.transfers = Transfers(
                store: self.fixture.store,
                settleTime: .seconds(30),
                writer: self.fixture.background,
                logger: self.fixture.log.logger
            )
            self.transfers.start(try UpstreamFixture.services(self.fixture), on: self.loop)
        }

        func perform(_ request: JournalRequest) async throws -> JournalAnswer {
            try await answer { done in
                self.transfers.perform(request, on: self.loop, answer: done)
            }
        }

        func transfer(moves: Bool = true, uids: [UInt32] = [1, 2, 3]) throws -> Transfer {
            Transfer(
                moves: moves,
                source: Transfer.Mailbox(
                    account: try self.fixture.account("anna"),
                    folder: try StoreFixture.folderPath("INBOX"),
                    uidValidity: 7
                ),
                uids: uids,
                target: Transfer.Mailbox(
                    account: try self.fixture.account("bob"),
                    folder: try StoreFixture.folderPath("Akten"),
                    uidValidity: 9
                ),
                uidNext: 100
            )
        }

        /// What the journal has of an entry.
        func stored(_ entry: Int64) throws -> Transfer? {
            try self.fixture.store.transfer(entry)
        }

        func state(_ entry: Int64) throws -> String? {
            try self.fixture.store.transfer(entry).map { "\($0.state)" }
        }

        func record(_ transfer: Transfer) async throws -> Int64? {
            guard case .recorded(let entry) = try await self.perform(.record(transfer)) else {
                return nil
            }
            return entry
        }
    }

    private static func message(_ source: UInt32) throws -> Transfer.Message {
        Transfer.Message(
            source: source,
            octets: 1_000,
            date: 1_700_000_000,
            digest: try #require(
                MessageDigest(octets: Array(repeating: UInt8(source), count: 32))
            )
        )
    }

    private static func refused(_ number: Int) -> AppendOutcome {
        AppendOutcome(number: number, answer: .refused)
    }

    @Test func `a recorded transfer is read back unchanged`() async throws {
        let bench = try Bench()
        let transfer = try bench.transfer()
        let entry = try #require(try await bench.record(transfer))
        #expect(try bench.stored(entry) == transfer)
        #expect(try bench.state(entry) == "begun")
        bench.transfers.stop()
        try await bench.fixture.stop()
    }

    @Test(arguments: [
        (true, true, false), (true, false, false), (false, true, true), (false, false, true),
    ])
    func `messages that a transfer moves cannot be in another transfer`(
        firstMoves: Bool,
        secondMoves: Bool,
        isRecorded: Bool
    ) async throws {
        let bench = try Bench()
        _ = try #require(try await bench.record(bench.transfer(moves: firstMoves, uids: [1, 2])))
        let answer = try await bench.perform(
            .record(bench.transfer(moves: secondMoves, uids: [2, 3]))
        )
        if isRecorded {
            guard case .recorded(let entry?) = answer else {
                Issue.record("\(answer)")
                return
            }
            // Two of the same messages into one mailbox: neither knows whose copy one is.
            #expect(try bench.stored(entry)?.isContested == true)
        } else {
            guard case .busy = answer else {
                Issue.record("\(answer)")
                return
            }
        }
        // Others are nobody's yet.
        #expect(try await bench.record(bench.transfer(uids: [4])) != nil)
        bench.transfers.stop()
        try await bench.fixture.stop()
    }

    @Test func `each APPEND records its messages and the result of the previous APPEND`()
        async throws
    {
        let bench = try Bench()
        let entry = try #require(try await bench.record(bench.transfer()))
        let first = TransferAppend(
            number: 1,
            messages: [try Self.message(1), try Self.message(2)],
            previous: Self.refused(0)
        )
        guard case .appending(true) = try await bench.perform(.append(entry, first)) else {
            Issue.record("not written")
            return
        }
        let second = TransferAppend(
            number: 2,
            messages: [try Self.message(3)],
            previous: AppendOutcome(number: 1, answer: .stored(uids: [100, 101]))
        )
        guard case .appending(true) = try await bench.perform(.append(entry, second)) else {
            Issue.record("not written")
            return
        }
        let transfer = try #require(try bench.stored(entry))
        #expect(transfer.copies.map(\.message.source) == [1, 2, 3])
        #expect(transfer.copies.map(\.uid) == [100, 101, nil])
        #expect(transfer.copies.map(\.isStored) == [true, true, false])
        #expect(transfer.copies.map(\.message) == (try [1, 2, 3].map(Self.message)))
        bench.transfers.stop()
        try await bench.fixture.stop()
    }

    @Test func `a confirmed transfer records what was sent, and is removed at its end`()
        async throws
    {
        let bench = try Bench()
        let entry = try #require(try await bench.record(bench.transfer()))
        let append = TransferAppend(
            number: 1,
            messages: try [1, 2, 3].map(Self.message),
            previous: Self.refused(0)
        )
        _ = try await bench.perform(.append(entry, append))
        let confirmed = try await bench.perform(
            .confirm(
                entry,
                [1, 2],
                last: AppendOutcome(number: 1, answer: .stored(uids: [200, 201, 202]))
            )
        )
        guard case .confirmed(true) = confirmed else {
            Issue.record("\(confirmed)")
            return
        }
        let transfer = try #require(try bench.stored(entry))
        #expect(try bench.state(entry) == "copied" && transfer.uids == [1, 2])
        #expect(transfer.copies.map(\.uid) == [200, 201, 202])
        guard case .forgotten(true) = try await bench.perform(.forget(entry)) else {
            Issue.record("not forgotten")
            return
        }
        #expect(try bench.fixture.store.transfers() == [])
        // Once more is no failure.
        guard case .forgotten(true) = try await bench.perform(.forget(entry)) else {
            Issue.record("not forgotten")
            return
        }
        bench.transfers.stop()
        try await bench.fixture.stop()
    }

    @Test func `a journal without the transfer answers that the write has failed`() async throws {
        let bench = try Bench()
        let append = TransferAppend(
            number: 1,
            messages: [try Self.message(1)],
            previous: Self.refused(0)
        )
        guard case .appending(false) = try await bench.perform(.append(12, append)) else {
            Issue.record("an APPEND of no transfer was written")
            return
        }
        let confirmed = try await bench.perform(.confirm(12, [1], last: Self.refused(1)))
        guard case .confirmed(false) = confirmed else {
            Issue.record("a transfer that is not there was confirmed")
            return
        }
        #expect(bench.fixture.log.count("the journal of transfers cannot be written") == 2)
        bench.transfers.stop()
        try await bench.fixture.stop()
    }

    @Test func `a failing journal stops a transfer before it begins`() async throws {
        let bench = try Bench()
        let transfer = try bench.transfer()
        bench.fixture.store.close()
        guard case .recorded(nil) = try await bench.perform(.record(transfer)) else {
            Issue.record("recorded in a store that is closed")
            return
        }
        bench.transfers.stop()
        try await bench.fixture.stop()
    }

    // MARK: - Interrupted

    @Test func `a transfer without sent messages is undone without a connection`()
        async throws
    {
        let bench = try Bench()
        let entry = try #require(try await bench.record(bench.transfer()))
        let answer = try await bench.perform(.resolve(entry, .begun(Self.refused(0))))
        guard case .resolved(.undone) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(try bench.fixture.store.transfers() == [])
        bench.transfers.stop()
        try await bench.fixture.stop()
    }

    @Test func `a transfer that is missing in the journal may have left copies`() async throws {
        let bench = try Bench()
        let answer = try await bench.perform(.resolve(4_711, .begun(Self.refused(0))))
        guard case .resolved(.remains) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(bench.fixture.log.all.contains { $0.hasSuffix("entry=4711") })
        bench.transfers.stop()
        try await bench.fixture.stop()
    }

    @Test func `a transfer with unusable servers is postponed, and stays in the journal`()
        async throws
    {
        let bench = try Bench()
        let entry = try #require(try await bench.record(bench.transfer()))
        let append = TransferAppend(
            number: 1,
            messages: [try Self.message(1)],
            previous: Self.refused(0)
        )
        _ = try await bench.perform(.append(entry, append))
        let interruptedState = InterruptedTransferState.begun(
            AppendOutcome(number: 1, answer: .missing)
        )
        let answer = try await bench.perform(.resolve(entry, interruptedState))
        guard case .resolved(.postponed) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(try bench.fixture.store.transfers() == [entry])
        #expect(Transfers.retries == Transfers.retries.sorted())
        bench.transfers.stop()
        try await bench.fixture.stop()
    }

    @Test(.timeLimit(.minutes(20))) func `an entry that could not be deleted is deleted later`()
        async throws
    {
        let bench = try Bench()
        let entry = try #require(try await bench.record(bench.transfer()))
        func rename(_ name: String, to other: String) throws {
            try bench.fixture.store.write(locking: .journal) {
                try $0.execute(sql: "ALTER TABLE \(name) RENAME TO \(other)")
            }
        }
        try rename("transfer", to: "hidden")
        guard case .forgotten(false) = try await bench.perform(.forget(entry)) else {
            Issue.record("deleted")
            return
        }
        try rename("hidden", to: "transfer")
        #expect(try bench.stored(entry) != nil)
        while try bench.stored(entry) != nil { try await Task.sleep(for: .milliseconds(100)) }
        bench.transfers.stop()
        try await bench.fixture.stop()
    }
}
