import Access
import LDAP
import Store
import Synchronization
import Testing

@testable import Gateway

/// Groups whose members are read from a directory in the background.
@Suite struct DirectoryGroupReaderTests {
    /// A directory that answers as a test says.
    private final class Directory: Sendable {
        let answers = Mutex<[String: Result<[String], DirectoryError>]>([:])
        let questions = Mutex<[String]>([])

        func people(_ filter: String) throws(DirectoryError) -> DirectoryGroupPeople {
            self.questions.withLock { $0.append(filter) }
            let logins = try self.answers.withLock { $0[filter] ?? .success([]) }.get()
            return DirectoryGroupPeople(
                logins: logins.map { [$0] },
                unresolved: [],
                moment: .current
            )
        }
    }

    private struct Bench {
        let fixture: StoreFixture
        let directory = Directory()
        let reader: DirectoryGroupReader

        init() throws {
            self.fixture = try StoreFixture()
            let directory = self.directory
            self.reader = DirectoryGroupReader(
                store: self.fixture.store,
                permissions: try self.fixture.permissions(),
                logger: self.fixture.log.logger,
                interval: 60
            ) { filter throws(DirectoryError) in try directory.people(filter) }
            for name in ["a", "b", "c"] {
                try self.fixture.store.addGroup(name, ldap: "(cn=\(name))", actor: "test")
                self.answer(name, .success([StoreFixture.address("anna")]))
            }
        }

        func answer(_ group: String, _ result: Result<[String], DirectoryError>) {
            self.directory.answers.withLock { $0["(cn=\(group))"] = result }
        }

        func members(_ name: String) throws -> [String] {
            try self.fixture.store.group(name).members
        }

        func failure(_ name: String) throws -> String? {
            try self.fixture.store.groupDetails(name).directory?.failure
        }
    }

    @Test func `each group is read once in an interval`() throws {
        let bench = try Bench()
        let now = Moment.current.seconds
        for (seconds, count) in [(now, 3), (now + 30, 3), (now + 1_000, 6)] {
            bench.reader.readDue(at: Moment(seconds: seconds))
            #expect(bench.directory.questions.withLock { $0.count } == count, "\(seconds)")
        }
        #expect(try bench.members("a") == [StoreFixture.address("anna")])
        #expect(bench.fixture.log.count("a group has other members") == 3)
    }

    @Test func `a wrong filter stops its group only`() throws {
        let bench = try Bench()
        bench.answer("a", .failure(.failed("no such base")))
        bench.reader.readDue(at: .current)
        #expect(try bench.failure("a") == "no such base" && bench.members("a").isEmpty)
        #expect(try bench.members("b") == [StoreFixture.address("anna")])
        #expect(try bench.failure("c") == nil)
    }

    @Test func `a directory that does not answer is asked once, and all members stay`() throws {
        let bench = try Bench()
        bench.reader.readDue(at: .current)
        for name in ["a", "b", "c"] { bench.answer(name, .failure(.unavailable("no route"))) }
        bench.reader.readDue(at: Moment(seconds: Moment.current.seconds + 1_000))
        #expect(bench.directory.questions.withLock { $0.count } == 4)
        for name in ["a", "b", "c"] {
            #expect(try bench.members(name) == [StoreFixture.address("anna")])
            #expect(try bench.failure(name) != nil)
        }
        #expect(bench.fixture.log.count("cannot read the members of a group") == 3)
    }

    @Test func `a reader that is stopped reads nothing and writes nothing`() throws {
        let bench = try Bench()
        bench.reader.stop()
        bench.reader.readDue(at: .current)
        #expect(bench.directory.questions.withLock { $0.isEmpty })
        #expect(try bench.members("a").isEmpty)
    }
}
