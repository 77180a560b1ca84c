import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Plays the parts of Microsoft that the gateway speaks HTTPS to: the token endpoint of Entra and
/// the administration interfaces of Exchange Online, with the answers that are documented or were
/// captured, and one invented organisation.
///
/// A second port without TLS, on loopback, tells the mail servers whether a token is good
/// (RFC 7662).
final class MicrosoftTestServer: Sendable {
    static let tenant = "11111111-2222-3333-4444-555555555555"
    static let application = "00000000-1111-2222-3333-444444444444"
    static let secret = "demo~secret"

    /// What a request to an administration interface, or for a token, gets instead of an answer.
    enum Fault: Sendable {
        case status(Int, headers: [String: String], body: String)
        /// No token that was given out is good any more.
        case revocation
        /// The answer, said to be cut.
        case warning
        case nextLink
    }

    struct State: Sendable {
        var organization: ExchangeOrganization
        var faults: [Fault] = []
        var tokenFaults: [Fault] = []
        var tokens: [String: Date] = [:]
        var tokenRequests = 0
        /// Cmdlets that were run, through either interface.
        var commands: [String] = []
        var documented = DocumentedState()
        /// When the administration interface was asked.
        var times: [ContinuousClock.Instant] = []
        /// Cmdlets that the application may not run.
        var refused: Set<String> = []
        var tokenSeconds = 3_599
        /// Checks an assertion that stands in for the secret.
        var isAssertionGood: @Sendable (String) -> Bool = { _ in false }
    }

    let port: Int
    let introspectionPort: Int
    let state: Mutex<State>
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    init(port: Int, introspectionPort: Int, organization: ExchangeOrganization) {
        self.port = port
        self.introspectionPort = introspectionPort
        self.state = Mutex(State(organization: organization))
    }

    func start(certificate: URL, key: URL) throws {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate.path).map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key.path, format: .pem))
        )
        configuration.applicationProtocols = ["http/1.1"]
        let context = try NIOSSLContext(configuration: configuration)
        try self.listen(self.port) { channel in
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
        }
        try self.listen(self.introspectionPort) { _ in }
    }

    /// Writes a gateway's configuration for the application that this server knows.
    func addApplication(to gateway: URL) throws {
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
                    try channel.pipeline.syncOperations.addHandler(RequestHandler(self))
                }
            }
            .bind(host: "127.0.0.1", port: port).wait()
    }

    func stop() {
        try? self.group.syncShutdownGracefully()
    }

    // MARK: - Answers

    struct Answer {
        var status = 200
        var headers: [String: String] = [:]
        var body = ""
    }

    func answer(_ path: String, authorization: String?, body: Data) -> Answer {
        self.state.withLock { state in
            switch path {
            case "/\(Self.tenant)/oauth2/v2.0/token":
                return Self.token(body, state: &state)
            case "/adminapi/beta/\(Self.tenant)/InvokeCommand":
                return Self.command(authorization, body: body, state: &state)
            case let path where path.hasPrefix(Self.documentedPath):
                return self.documentedAnswer(
                    path,
                    authorization: authorization,
                    body: body,
                    state: &state
                )
            case let path where path.hasPrefix("/introspect"):
                let token = Self.form(body)["token"] ?? path.components(separatedBy: "token=").last
                let isGood = state.tokens[token ?? ""].map { $0 > Date() } ?? false
                return Answer(body: #"{"active":\#(isGood),"username":"application"}"#)
            case let path where path.hasSuffix("/oauth2/v2.0/token"):
                return Self.refusal(
                    400,
                    error: "invalid_request",
                    code: 90_002,
                    text: "Tenant not found."
                )
            default:
                return Answer(status: 404)
            }
        }
    }

    private static func form(_ body: Data) -> [String: String] {
        var components = URLComponents()
        components.percentEncodedQuery = String(decoding: body, as: UTF8.self)
        return Dictionary((components.queryItems ?? []).map { ($0.name, $0.value ?? "") }) { $1 }
    }

    private static func token(_ body: Data, state: inout State) -> Answer {
        state.tokenRequests += 1
        if !state.tokenFaults.isEmpty,
            case .status(let status, let headers, let body) =
                state.tokenFaults.removeFirst()
        {
            return Answer(status: status, headers: headers, body: body)
        }
        let form = Self.form(body)
        guard form["client_id"] == Self.application else {
            return Self.refusal(
                400,
                error: "unauthorized_client",
                code: 700_016,
                text: "Application with identifier '\(form["client_id"] ?? "")' was not found."
            )
        }
        let assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        let isProved =
            form["client_secret"] == Self.secret
            || form["client_assertion_type"] == assertionType
                && state.isAssertionGood(form["client_assertion"] ?? "")
        guard isProved else {
            return Self.refusal(
                401,
                error: "invalid_client",
                code: 7_000_215,
                text:
                    "Invalid client secret provided. Ensure the secret being sent in the request is the "
                    + "client secret value, not the client secret ID."
            )
        }
        guard form["grant_type"] == "client_credentials",
            form["scope"] == "https://outlook.office365.com/.default"
        else {
            return Self.refusal(
                400,
                error: "invalid_scope",
                code: 70_011,
                text: "The provided scope is not valid."
            )
        }
        let token = "eyJ" + String(repeating: UUID().uuidString, count: 30)
        state.tokens[token] = Date().addingTimeInterval(TimeInterval(state.tokenSeconds))
        let seconds = state.tokenSeconds
        return Answer(
            body: #"{"token_type":"Bearer","expires_in":\#(seconds),"ext_expires_in":\#(seconds),"#
                + #""access_token":"\#(token)"}"#
        )
    }

    private static func refusal(
        _ status: Int,
        error: String,
        code: Int,
        text: String
    ) -> Answer {
        Answer(
            status: status,
            body:
                #"{"error":"\#(error)","error_description":"AADSTS\#(code): \#(text)\r\nTrace ID: 0"#
                + #"","error_codes":[\#(code)],"timestamp":"2026-01-02 21:00:26Z","trace_id":"0","#
                + #""correlation_id":"0","#
                + #""error_uri":"https://login.microsoftonline.com/error?code=\#(code)"}"#
        )
    }

    struct Command: Decodable {
        struct Input: Decodable {
            var name: String
            var parameters: [String: String]

            enum CodingKeys: String, CodingKey {
                case name = "CmdletName"
                case parameters = "Parameters"
            }
        }

        var input: Input

        enum CodingKeys: String, CodingKey {
            case input = "CmdletInput"
        }
    }

    private static func command(
        _ authorization: String?,
        body: Data,
        state: inout State
    ) -> Answer {
        state.times.append(.now)
        var fault: Fault?
        if !state.faults.isEmpty { fault = state.faults.removeFirst() }
        if case .status(let status, let headers, let body)? = fault {
            return Answer(status: status, headers: headers, body: body)
        }
        if case .revocation? = fault { state.tokens = [:] }
        guard Self.isGood(authorization, state: state) else { return Answer(status: 401) }
        guard let command = try? JSONDecoder().decode(Command.self, from: body).input else {
            return Answer(status: 400)
        }
        guard !state.refused.contains(command.name) else { return Answer(status: 403) }
        let identity = command.parameters["Identity"]
        state.commands.append("\(command.name) \(identity ?? "")")
        guard let rows = state.organization.rows(command.name, identity: identity) else {
            return self.notFound(identity ?? "")
        }
        var answer: [String: Any] = [
            "@odata.context":
                "https://outlook.office365.com/adminapi/beta/\(Self.tenant)/$metadata#Collection(Exchange.GenericHashTable)",
            "adminapi.warnings@odata.type": "#Collection(String)", "@adminapi.warnings": [String](),
            "value": rows,
        ]
        // Without it a cmdlet tells the first thousand, and warns.
        let lists = command.name != "Get-Mailbox" && command.name != "Get-MailboxFolderStatistics"
        let isCut =
            lists && command.name != "Get-ServicePrincipal"
            && command.parameters["ResultSize"] != "Unlimited"
        var isWarned = isCut
        if case .warning? = fault { isWarned = true }
        if isWarned {
            answer["@adminapi.warnings"] = [
                "There are more results available than are currently displayed. To view them, "
                    + "increase the value for the ResultSize parameter."
            ]
        }
        if case .nextLink? = fault { answer["@odata.nextLink"] = "https://localhost/next" }
        let octets = (try? JSONSerialization.data(withJSONObject: answer)) ?? Data()
        return Answer(body: String(decoding: octets, as: UTF8.self))
    }

    static func isGood(_ authorization: String?, state: State) -> Bool {
        let token = authorization?.replacingOccurrences(of: "Bearer ", with: "") ?? ""
        return state.tokens[token].map { $0 > Date() } ?? false
    }

    static func notFound(_ identity: String) -> Answer {
        let text =
            "The operation couldn't be performed because object '\(identity)' couldn't be found on "
            + "'XX.PROD.OUTLOOK.COM'."
        let type = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
        return Answer(
            status: 400,
            body:
                #"{"error":{"code":"BadRequest","message":"Invalid Operation","details":[{"code":"#
                + #""Client","target":"","message":"|\#(type)|\#(text)"}],"innererror":{"message":"#
                + #""Invalid Operation","type":"Microsoft.Exchange.Admin.OData.Core.ODataServiceE"#
                + #"xception","stacktrace":"","internalexception":{"message":"\#(text)","type":"#
                + #""\#(type)","stacktrace":""}}}}"#
        )
    }
}

/// One request after the other on one connection.
private final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: MicrosoftTestServer
    private var head: HTTPRequestHead?
    private var body = Data()

    init(_ server: MicrosoftTestServer) {
        self.server = server
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            self.body = Data()
        case .body(let octets):
            self.body.append(contentsOf: octets.readableBytesView)
        case .end:
            self.respond(context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func respond(_ context: ChannelHandlerContext) {
        guard let head = self.head else { return }
        let answer = self.server.answer(
            head.uri,
            authorization: head.headers.first(name: "Authorization"),
            body: self.body
        )
        var headers = HTTPHeaders(answer.headers.map { ($0.key, $0.value) })
        headers.add(name: "Content-Length", value: "\(answer.body.utf8.count)")
        headers.add(name: "Content-Type", value: "application/json; charset=utf-8")
        let response = HTTPResponseHead(
            version: head.version,
            status: HTTPResponseStatus(statusCode: answer.status),
            headers: headers
        )
        context.write(self.wrapOutboundOut(.head(response)), promise: nil)
        let octets = ByteBuffer(string: answer.body)
        context.write(self.wrapOutboundOut(.body(.byteBuffer(octets))), promise: nil)
        context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
        if !head.isKeepAlive { context.close(promise: nil) }
    }
}
