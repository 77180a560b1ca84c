import Access
import NIOCore
import NIOPosix
import SASL
import Session
import Store
import Testing

@testable import Gateway

/// Servers that are asked for their folders without a session: once for all who want to know, and not too often.
@Suite struct FolderRefresherTests {
    private struct Bench {
        let server: FakeMailServer
        let fixture: StoreFixture
        let upstream: UpstreamServices
        let refresher: FolderRefresher
        let time = ManualTime()
        let loop = MultiThreadedEventLoopGroup.singleton.next()

        init(_ names: [String] = ["anna", "bob"]) async throws {
            self.server = try await FakeMailServer()
            self.fixture = try StoreFixture(names, port: self.server.port)
            self.upstream = try UpstreamFixture.services(self.fixture)
            self.refresher = FolderRefresher(upstream: self.upstream) { [time = self.time] in
                time.now
            }
        }

        func refresh(_ account: AccountID) async throws {
            try await self.loop.submit { self.refresher.refresh(account, on: self.loop) }.get()
        }

        func wait(until isDone: () throws -> Bool) async throws {
            while try !isDone() { try await Task.sleep(for: .milliseconds(10)) }
        }

        /// How many times the servers were asked for their folders.
        var lists: Int { self.server.commands.count { $0.hasPrefix("LIST \"\" \"*\"") } }
    }

    @Test func `concurrent refreshes of an account ask its server once`() async throws {
        let bench = try await Bench()
        let account = try bench.fixture.account("anna")
        for _ in 0..<20 { try await bench.refresh(account) }
        try await bench.wait { bench.lists > 0 }
        for _ in 0..<20 { try await bench.refresh(account) }
        #expect(bench.server.connections == 1)
        try await bench.server.stop()
    }

    @Test func `a server is not asked again within the pause time`() async throws {
        let bench = try await Bench()
        let account = try bench.fixture.account("anna")
        try await bench.refresh(account)
        try await bench.wait {
            bench.server.commands.contains { $0.hasPrefix("LOGOUT") } || bench.lists > 0
        }
        bench.time.advance(by: FolderRefresher.pauseTime - .seconds(1))
        try await bench.refresh(account)
        #expect(bench.server.connections == 1)
        bench.time.advance(by: .seconds(2))
        // The first question may be under way still: it is asked again until it is not.
        try await bench.wait {
            bench.refresher.refresh(account, on: bench.loop)
            return bench.server.connections == 2
        }
        try await bench.server.stop()
    }

    @Test func `a removed account is skipped, and the next one is refreshed`() async throws {
        let bench = try await Bench()
        for number in 100..<200 { try await bench.refresh(AccountID(Int64(number))) }
        try await bench.refresh(bench.fixture.account("bob"))
        try await bench.wait { bench.lists > 0 }
        #expect(bench.server.connections == 1)
        try await bench.server.stop()
    }

    @Test func `after stop no further server is asked`() async throws {
        let bench = try await Bench()
        bench.refresher.stop()
        try await bench.refresh(bench.fixture.account("anna"))
        try await bench.loop.submit {}.get()
        #expect(bench.server.connections == 0)
        try await bench.server.stop()
    }

    @Test func `the number of concurrent refreshes is limited`() async throws {
        let names = (0..<FolderRefresher.maximumReading + 4).map { "u\($0)" }
        let server = try await FakeMailServer()
        server.keepSilent(["AUTHENTICATE", "LOGIN"])
        let fixture = try StoreFixture([], port: server.port)
        for name in names {
            var settings = AccountSettings()
            settings.kind = .imap
            settings.imap = Endpoint(host: "localhost", port: server.port, tls: .none)
            settings.password = .init("x")
            try fixture.store.addAccount(
                StoreFixture.address(name),
                settings: settings,
                masterKey: fixture.masterKey,
                actor: "test"
            )
        }
        let upstream = try UpstreamFixture.services(fixture)
        let refresher = FolderRefresher(upstream: upstream)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        for name in names { refresher.refresh(try fixture.account(name), on: loop) }
        while server.connections < FolderRefresher.maximumReading {
            try await Task.sleep(for: .milliseconds(10))
        }
        // What is told to the loop later is done later: nobody was let in meanwhile.
        for _ in 0..<10 { try await loop.submit {}.get() }
        #expect(server.connections == FolderRefresher.maximumReading)
        refresher.stop()
        try await server.stop()
    }
}
