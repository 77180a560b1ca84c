package import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
package import Synchronization
import TLS

/// Plays the parts of Microsoft that the gateway speaks HTTPS to: the token endpoint of Entra and
/// the administration interfaces of Exchange Online, with the answers that are documented or were
/// captured, and one invented organisation.
///
/// A second port without TLS, on loopback, tells the mail servers whether a token is good
/// (RFC 7662).
package final class MicrosoftTestServer: Sendable {
    // What the gateway's configuration has to name.
    package static let tenant = "11111111-2222-3333-4444-555555555555"
    package static let application = "00000000-1111-2222-3333-444444444444"
    package static let secret = "demo~secret"

    /// What a request to an administration interface, or for a token, gets instead of an answer.
    package enum Fault: Sendable {
        case status(Int, headers: [String: String], body: String)
        /// No token that was given out is good any more.
        case revocation
        /// The answer, said to be cut.
        case warning
        case nextLink
    }

    /// What the next requests get, and what the ones before were.
    package struct State: Sendable {
        package var organization: ExchangeOrganization
        /// What the next requests to InvokeCommand get instead of an answer.
        package var faults: [Fault] = []
        package var tokenFaults: [Fault] = []
        /// Those that were given out, and when each ends.
        package var tokens: [String: Date] = [:]
        package var tokenRequests = 0
        /// Cmdlets that were run, through either interface.
        package var commands: [String] = []
        package var documented = DocumentedState()
        /// When the administration interface was asked.
        package var times: [ContinuousClock.Instant] = []
        /// Cmdlets that the application may not run.
        package var refused: Set<String> = []
        /// How long a new token is good.
        package var tokenSeconds = 3_599
        /// Checks an assertion that stands in for the secret.
        package var isAssertionGood: @Sendable (String) -> Bool = { _ in false }
    }

    /// Of the endpoints, with TLS.
    package let port: Int
    /// Where mail servers ask about tokens, without TLS.
    package let introspectionPort: Int
    package let state: Mutex<State>
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    package init(port: Int, introspectionPort: Int, organization: ExchangeOrganization) {
        self.port = port
        self.introspectionPort = introspectionPort
        self.state = Mutex(State(organization: organization))
    }

    /// Listens at both ports.
    package func start(certificate: URL, key: URL) throws {
        let files = TLSCertificateFiles(certificate: certificate.path, key: key.path)
        let context = try TLSServerContext(
            TLSServerConfiguration(
                certificates: [files],
                alpn: ["http/1.1"],
                sessionContext: "microsoft"
            )
        )
        try self.listen(self.port) { channel in
            try channel.pipeline.syncOperations.addHandler(TLSHandler(server: context))
        }
        try self.listen(self.introspectionPort) { _ in }
    }

    /// Writes a gateway's configuration for the application that this server knows.
    package func addApplication(to gateway: URL) throws {
        let secret = gateway.appendingPathComponent("exchange.secret")
        try Data(Self.secret.utf8).write(to: secret)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600],
            ofItemAtPath: secret.path
        )
        let file = gateway.appendingPathComponent("gatepost.yaml")
        let text = """

            # A test server in the place of Microsoft.
            exchange:
              tenant: \(Self.tenant)
              application: \(Self.application)
              secretFile: exchange.secret
              loginURL: "https://localhost:\(self.port)"
              exchangeURL: "https://localhost:\(self.port)"
              mailDomains: ["127.0.0.1", "localhost"]
              caFile: certs/ca.pem

            """
        try Data((try String(contentsOf: file, encoding: .utf8) + text).utf8).write(to: file)
    }

    private func listen(
        _ port: Int,
        prepare: @escaping @Sendable (any Channel) throws -> Void
    ) throws {
        _ = try ServerBootstrap(group: self.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try prepare(channel)
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        HTTPRequestHandler { path, authorization, body in
                            self.answer(path, authorization: authorization, body: body)
                        }
                    )
                }
            }
            .bind(host: "127.0.0.1", port: port).wait()
    }

    /// Closes both ports and every connection.
    package func stop() {
        try? self.group.syncShutdownGracefully()
    }
}
