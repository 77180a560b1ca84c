import Access
import NIOCore
import NIOEmbedded
import NIOPosix
import Store
import Testing

@testable import Gateway
@testable import Session

/// What owners share from their mail clients: written, in force when it is answered, and bounded.
@Suite struct ACLWriterTests {
    private final class Bench: Sendable {
        let fixture: StoreFixture
        let permissions: CurrentPermissions
        let time = ManualTime()
        let writer: ACLWriter
        let loop = MultiThreadedEventLoopGroup.singleton.next()

        init() throws {
            self.fixture = try StoreFixture(["anna", "bob", "clara"])
            try self.fixture.store.addGroup("Team", actor: "test")
            self.permissions = try self.fixture.permissions()
            self.writer = ACLWriter(
                store: self.fixture.store,
                masterKey: self.fixture.masterKey,
                permissions: self.permissions,
                writer: self.fixture.background,
                logger: self.fixture.log.logger,
                now: { [time = self.time] in time.moment }
            )
        }

        func change(
            _ identifier: [UInt8],
            _ kind: ACLChange.Kind = .replace,
            _ letters: String = "lr",
            folder: String = "Akten",
            owner: String = "bob"
        ) async throws -> ACLChange.Outcome {
            let change = ACLChange(
                owner: try self.fixture.user(owner),
                account: try self.fixture.account(owner),
                folder: try StoreFixture.folderPath(folder),
                identifier: identifier,
                kind: kind,
                rights: try #require(Rights(letters: letters))
            )
            let address = try SocketAddress(ipAddress: "192.0.2.7", port: 1)
            return try await answer { done in
                self.writer.change(change, from: address, on: self.loop, answer: done)
            }
        }

        /// What somebody may do in a folder of Bob's by the permissions in force.
        func rights(_ name: String, in folder: String = "Akten") throws -> String {
            self.permissions.current.access.access(
                of: try self.fixture.user(name),
                to: try self.fixture.account("bob"),
                at: .current
            ).rights(in: try StoreFixture.folderPath(folder)).letters
        }
    }

    private static let anna = Array("anna@kanzlei.example".utf8)

    @Test func `a change is in force when it is answered`() async throws {
        let bench = try Bench()
        #expect(try bench.rights("anna") == "")
        #expect(try await bench.change(Self.anna) == .done)
        #expect(try bench.rights("anna") == "lr")
        #expect(try bench.rights("anna", in: "Andere") == "")
        #expect(try await bench.change(Self.anna, .add, "sw") == .done)
        #expect(try Set(bench.rights("anna")) == Set("lrsw"))
        #expect(try await bench.change(Self.anna, .remove, "w") == .done)
        #expect(try Set(bench.rights("anna")) == Set("lrs"))
        #expect(try await bench.change(Self.anna, .replace, "") == .done)
        #expect(try bench.rights("anna") == "")
        try await bench.fixture.stop()
    }

    @Test func `a change is recorded with the owner and the owner's address`() async throws {
        let bench = try Bench()
        _ = try await bench.change(Self.anna)
        let record = try #require(try bench.fixture.store.auditEntries().last?.record)
        #expect(record.event == "change" && record.actor == "bob@kanzlei.example")
        #expect(record.from == "192.0.2.7" && record.account == "bob@kanzlei.example")
        try await bench.fixture.stop()
    }

    /// Negative rights and everybody have no counterpart (RFC 4314 §2).
    @Test(arguments: [
        "-anna@kanzlei.example", "anyone", "anonymous", "nobody@kanzlei.example", "x", "",
        "group:Fremde", "group:",
    ])
    func `an unknown identifier is reported as unknown, and no grant is written`(
        identifier: String
    )
        async throws
    {
        let bench = try Bench()
        let before = try bench.fixture.store.load().access.revision
        #expect(try await bench.change(Array(identifier.utf8)) == .unknownIdentifier)
        #expect(try bench.fixture.store.load().access.revision == before)
        try await bench.fixture.stop()
    }

    @Test func `an identifier that is not valid text is unknown`() async throws {
        let bench = try Bench()
        #expect(try await bench.change([0xFF, 0xFE]) == .unknownIdentifier)
        #expect(try await bench.change(Self.anna + [0xC3]) == .unknownIdentifier)
        try await bench.fixture.stop()
    }

    @Test func `a group is granted rights by its name`() async throws {
        let bench = try Bench()
        try bench.fixture.store.join(["anna@kanzlei.example"], to: "Team", actor: "test")
        #expect(try await bench.change(Array("group:Team".utf8)) == .done)
        #expect(try bench.rights("anna") == "lr" && bench.rights("clara") == "")
        try await bench.fixture.stop()
    }

    @Test func `rights from a grant on the whole mailbox cannot be revoked in one folder`()
        async throws
    {
        let bench = try Bench()
        try bench.fixture.grant("bob", to: "anna")
        #expect(try await bench.change(Self.anna, .remove, "r") == .grantedElsewhere)
        try await bench.fixture.stop()
    }

    @Test func `no change is written to a refused store`() async throws {
        let bench = try Bench()
        bench.permissions.restrict(.store, isInForce: true)
        let before = try bench.fixture.store.load().access.revision
        #expect(try await bench.change(Self.anna) == .failed)
        #expect(try bench.fixture.store.load().access.revision == before)
        bench.permissions.restrict(.store, isInForce: false)
        #expect(try await bench.change(Self.anna) == .done)
        try await bench.fixture.stop()
    }

    @Test func `a disabled owner cannot change grants, and the failure is logged`() async throws {
        let bench = try Bench()
        try bench.fixture.store.setDisabled(true, login: "bob@kanzlei.example", actor: "test")
        #expect(try await bench.change(Self.anna) == .failed)
        #expect(
            bench.fixture.log.count("cannot write a change of SETACL or DELETEACL to the store")
                == 1
        )
        try await bench.fixture.stop()
    }

    @Test func `each owner has a limit of changes in an hour`() async throws {
        let bench = try Bench()
        // Those that name nobody are counted like others once they are somebody's.
        for number in 0..<ACLWriter.maximumChanges {
            let outcome = try await bench.change(Array("x\(number)@kanzlei.example".utf8))
            #expect(outcome == .unknownIdentifier)
        }
        #expect(try await bench.change(Self.anna) == .tooMany)
        #expect(try await bench.change(Self.anna, owner: "clara") == .done)
        bench.time.advance(by: .hours(1))
        #expect(try await bench.change(Self.anna) == .done)
        try await bench.fixture.stop()
    }
}
