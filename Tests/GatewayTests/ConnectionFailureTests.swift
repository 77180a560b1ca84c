import Foundation
import Glibc
import NIOCore
import NIOPosix
import SASL
import Session
import Store
import TLS
import Testing

@testable import Gateway

@Suite struct ConnectionFailureTests {
    /// A port of this machine on which no program listens.
    private static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        try await channel.close().get()
        return port
    }

    private static func dial(_ host: String, port: Int) async -> ConnectionFailure? {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let endpoint = Endpoint(host: host, port: port, tls: .none)
        do {
            let channel = try await SocketConnector()
                .dial(endpoint, on: loop, timeout: .seconds(5)) { _ in }.get()
            try await channel.close().get()
            return nil
        } catch {
            return ConnectionFailure(error)
        }
    }

    @Test(arguments: ["127.0.0.1", "localhost"])
    func `a port without a listener refuses the connection`(host: String) async throws {
        #expect(await Self.dial(host, port: try Self.freePort()) == .refused)
    }

    @Test func `a name without an address is no such host`() async throws {
        #expect(await Self.dial("mail..example", port: 993) == .noSuchHost)
    }

    @Test(arguments: [
        (ECONNREFUSED, ConnectionFailure.refused), (ETIMEDOUT, .timedOut),
        (EHOSTUNREACH, .unreachable), (ENETUNREACH, .unreachable), (ECONNRESET, .reset),
        (EPIPE, .reset), (EMFILE, .noDescriptor), (EACCES, .system(EACCES)),
    ])
    func `a system error has the class of its number`(code: CInt, failure: ConnectionFailure) {
        #expect(ConnectionFailure(IOError(errnoCode: code, reason: "connect")) == failure)
    }

    @Test func `a connect timeout, a closed channel and a TLS failure have their classes`() {
        #expect(ConnectionFailure(ChannelError.connectTimeout(.seconds(15))) == .timedOut)
        #expect(ConnectionFailure(ChannelError.ioOnClosedChannel) == .closed)
        #expect(ConnectionFailure(TLSError.nameMismatch) == .tls(.nameMismatch))
        #expect(ConnectionFailure(ConnectionFailure.reset) == .reset)
    }

    @Test(arguments: [
        (ConnectionFailure.refused, "connection refused: check the port, and that the server runs"),
        (.timedOut, "no answer in time: check host, port and firewall"),
        (.noSuchHost, "no such host: check the spelling of the host name, and DNS"),
        (.unreachable, "no route to the host: check the host's address, routes and firewall"),
        (
            .tls(.nameMismatch),
            "the certificate is not for the server's name: "
                + "use a host name that its certificate is for"
        ),
        (.system(EACCES), "Permission denied"),
    ])
    func `a failure states its reason and its remedy`(failure: ConnectionFailure, text: String) {
        #expect(failure.description == text)
    }

    @Test func `a probe of a port without a listener names the refusal and a remedy`() async throws
    {
        let endpoint = Endpoint(host: "localhost", port: try await Self.freePort(), tls: .none)
        let credential = try UpstreamCredential(
            user: "clara",
            proof: .password(Secret(Array("x".utf8)))
        )
        let error = await #expect(throws: ProbeError.self) {
            _ = try await SubmissionProbe().probe(endpoint, credential: credential)
        }
        #expect(
            error?.description
                == "cannot be reached: connection refused: check the port, and that the server runs"
        )
    }
}
