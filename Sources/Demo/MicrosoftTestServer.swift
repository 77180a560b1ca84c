package import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
package import Synchronization
import TLS

/// A stand-in for Microsoft: the token endpoint of Entra and the administration interfaces of
/// Exchange Online, for one invented organization. Responses follow Microsoft's documentation or
/// captures.
///
/// A second port without TLS, on 127.0.0.1, is the token introspection for the mail servers
/// (RFC 7662).
package final class MicrosoftTestServer: Sendable {
    // The values for the gateway's configuration.
    package static let tenant = "11111111-2222-3333-4444-555555555555"
    package static let application = "00000000-1111-2222-3333-444444444444"
    package static let secret = "demo~secret"

    /// The result of a request, instead of the regular answer.
    package enum Fault: Sendable {
        /// This response.
        case status(Int, headers: [String: String], body: String)
        /// All tokens expire before the answer.
        case revocation
        /// The regular answer with a warning that it is truncated.
        case warning
        /// The regular answer with a link to a next page.
        case nextLink
    }

    /// The behaviour of the server, and a record of its requests.
    package struct State: Sendable {
        package var organization: ExchangeOrganization
        /// The results of the next requests to InvokeCommand.
        package var faults: [Fault] = []
        /// The results of the next token requests.
        package var tokenFaults: [Fault] = []
        /// The issued tokens with their expiry.
        package var tokens: [String: Date] = [:]
        /// The number of token requests.
        package var tokenRequests = 0
        /// The cmdlets that ran, through either interface.
        package var commands: [String] = []
        package var documented = DocumentedState()
        /// The times of the requests to InvokeCommand.
        package var times: [ContinuousClock.Instant] = []
        /// Cmdlets that the application may not run.
        package var refused: Set<String> = []
        /// The lifetime of a new token, in seconds.
        package var tokenSeconds = 3_599
        /// Verifies a client assertion, which replaces the secret (RFC 7523 §2.2).
        package var isAssertionGood: @Sendable (String) -> Bool = { _ in false }
    }

    /// The port of the HTTPS endpoints.
    package let port: Int
    /// The port of the token introspection, without TLS.
    package let introspectionPort: Int
    package let state: Mutex<State>
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    package init(port: Int, introspectionPort: Int, organization: ExchangeOrganization) {
        self.port = port
        self.introspectionPort = introspectionPort
        self.state = Mutex(State(organization: organization))
    }

    /// Listens on both ports.
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

    /// Adds the application and its secret to a gateway's configuration.
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

    /// Closes both ports and all connections.
    package func stop() {
        try? self.group.syncShutdownGracefully()
    }
}
