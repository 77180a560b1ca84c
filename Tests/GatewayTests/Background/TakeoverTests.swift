import Access
import Foundation
import NIOCore
import NIOPosix
import Session
import Store
import Testing

@testable import Gateway

/// What a session gets after another node took its entry of the journal over, and what the other
/// node does.
@Suite struct TakeoverTests {
    private final class Bench: Sendable {
        let shared: SharedFixture
        let one: PermissionStore
        let other: PermissionStore
        let transfers: Transfers
        let loop = MultiThreadedEventLoopGroup.singleton.next()

        init() throws {
            self.shared = try SharedFixture()
            self.one = try self.shared.node("one")
            self.other = try self.shared.node("other")
            self.transfers = Transfers(
                store: self.one,
                settleTime: .seconds(30),
                writer: self.shared.fixture.background,
                logger: self.shared.fixture.log.logger
            )
            self.transfers.start(try UpstreamFixture.services(self.shared.fixture), on: self.loop)
        }

        func perform(_ request: JournalRequest) async throws -> JournalAnswer {
            try await answer { done in
                self.transfers.perform(request, on: self.loop, answer: done)
            }
        }

        func record() async throws -> Int64 {
            let fixture = self.shared.fixture
            func mailbox(_ name: String, _ folder: String) throws -> Transfer.Mailbox {
                Transfer.Mailbox(
                    account: try fixture.account(name),
                    folder: try StoreFixture.folderPath(folder),
                    uidValidity: 7
                )
            }
            let transfer = Transfer(
                moves: false,
                source: try mailbox("anna", "INBOX"),
                uids: [1],
                target: try mailbox("bob", "Akten"),
                uidNext: 100
            )
            guard case .recorded(let entry?) = try await self.perform(.record(transfer)) else {
                throw CancellationError()
            }
            return entry
        }

        func stop() async throws {
            self.transfers.stop()
            try await self.shared.fixture.stop()
        }
    }

    private static func append() throws -> TransferAppend {
        TransferAppend(
            number: 1,
            messages: [
                Transfer.Message(
                    source: 1,
                    octets: 10,
                    date: 5,
                    digest: try #require(MessageDigest(octets: Array(repeating: 1, count: 32)))
                )
            ],
            previous: AppendOutcome(number: 0, answer: .refused)
        )
    }

    @Test func `an entry that was taken over answers each step as a journal that fails`()
        async throws
    {
        let bench = try Bench()
        let entry = try await bench.record()
        let append = try Self.append()
        guard case .appending(true) = try await bench.perform(.append(entry, append)) else {
            Issue.record("the first APPEND was refused")
            return
        }
        #expect(try bench.shared.takeOver(bench.other) == [entry])
        var answers: [String] = []
        let last = AppendOutcome(number: 1, answer: .stored(uids: [100]))
        for request in [
            JournalRequest.append(entry, append), .confirm(entry, [1], last: last), .forget(entry),
            .resolve(entry, .begun(last)), .resolve(entry, .copied),
        ] {
            answers.append("\(try await bench.perform(request))")
        }
        let expected: [JournalAnswer] = [
            .appending(false), .confirmed(false), .forgotten(false), .resolved(.postponed),
            .resolved(.postponed),
        ]
        #expect(answers == expected.map { "\($0)" })
        #expect(
            bench.shared.fixture.log.count("another node took an interrupted transfer over") == 2
        )
        // The other node's entry is as it was.
        let transfer = try #require(try bench.other.transfer(entry))
        #expect(transfer.state == .begun && transfer.copies.map(\.isStored) == [false])
        try await bench.stop()
    }

    /// The other node may have begun to undo the transfer meanwhile.
    @Test func `an APPEND that is recorded late is not completed`() async throws {
        let bench = try Bench()
        let entry = try await bench.record()
        bench.shared.fixture.background.submit {
            Thread.sleep(forTimeInterval: NodeLeases.validity / .seconds(1) + 0.2)
        }
        guard case .appending(false) = try await bench.perform(.append(entry, Self.append())) else {
            Issue.record("the APPEND may be completed")
            return
        }
        #expect(try bench.one.transfer(entry)?.copies.count == 1)
        try await bench.stop()
    }

    @Test func `a gateway takes the transfers of dead nodes over, and recovers them`() async throws
    {
        let bench = try Bench()
        let entry = try await bench.record()
        bench.transfers.stop()
        let fixture = bench.shared.fixture
        let upstream = try UpstreamFixture.services(fixture)
        let transfers = Transfers(
            store: bench.other,
            settleTime: .seconds(30),
            writer: fixture.background,
            logger: fixture.log.logger
        )
        let takeover = Takeover(
            store: bench.other,
            transfers: transfers,
            sentCopies: SentCopies(
                store: bench.other,
                settleTime: .zero,
                writer: fixture.background,
                log: upstream.serverLog,
                logger: fixture.log.logger
            ),
            permissions: upstream.permissions,
            writer: fixture.background,
            logger: fixture.log.logger,
            leases: NodeLeases(time: .milliseconds(300))
        )
        transfers.start(upstream, on: bench.loop)
        takeover.look(on: bench.loop)
        #expect(try bench.other.journalEntry(entry) == .takenOver)
        while try bench.other.transfer(entry) != nil {
            takeover.look(on: bench.loop)
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(fixture.log.count("an interrupted transfer was recovered") == 1)
        transfers.stop()
        try await bench.stop()
    }
}
