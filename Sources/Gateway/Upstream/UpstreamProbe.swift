package import Access
import IMAP
import NIOCore
import NIOTLS
import Session
package import Store
import TLS

/// One login at an account's server outside any session, to see what an administrator has to know
/// before the account is used.
package struct UpstreamProbe: Sendable {
    package init() {}

    /// Logs in, lists the folders and opens INBOX, without changing anything in it.
    /// - Throws: why that failed, in words that say what to look at.
    package func probe(
        _ account: UpstreamAccount,
        credential: UpstreamCredential
    ) async throws(ProbeError) -> ProbeReport {
        try await Probe.run(account.imap) { contexts, promise in
            ProbeHandler(account.imap, credential: credential, contexts: contexts, promise: promise)
        }
    }
}

/// What a server showed to a login.
package struct ProbeReport: Sendable {
    package var greeting: String
    /// Nil without TLS.
    package var tls: String?
    package var capabilities: [String]
    package var delimiter: String?
    package var folders: [FolderPath]
    /// Folders that show messages of other folders, by the attribute that says so.
    package var collections: [FolderPath: String] = [:]
    /// Lines of the list, in escaped form, as many as are shown, whose folders nobody sees: they cannot be read, or their
    /// names cannot be given to a client.
    package private(set) var omittedLines: [String] = []
    /// How many there are.
    package private(set) var omitted = 0

    private static let maximumOmittedLines = 20

    /// A folder with one of them has messages of all others in it (RFC 6154 §2, RFC 8457 §2).
    private static let attributes = ["\\All", "\\Flagged", "\\Important"]

    mutating func omit(_ line: ByteBuffer) {
        self.omitted += 1
        guard self.omittedLines.count < Self.maximumOmittedLines else { return }
        self.omittedLines.append(UnreadableLine(line).description)
    }

    /// Keeps what a server listed.
    mutating func add(_ folder: FolderPath, list: ListResponse) {
        self.folders.append(folder)
        let names = list.attributes.map { String(buffer: $0).lowercased() }
        if let attribute = Self.attributes.first(where: { names.contains($0.lowercased()) }) {
            self.collections[folder] = attribute
        }
    }
}

/// The conversation of a probe.
private final class ProbeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Octets of everything that a server says: as many as it may need to list its folders when the
    /// account is used. Without a bound a server fills the memory of the administrator's command.
    private static let maximumOctets = ListLimits.octetsOfServer

    private let endpoint: Endpoint
    private let contexts: ClientContexts
    private let promise: EventLoopPromise<ProbeReport>
    private var login: UpstreamLogin
    private var reader = WholeResponseReader()
    private var octets = 0
    private var report = ProbeReport(greeting: "", capabilities: [], folders: [])
    private var names: UpstreamNames?
    /// Whether the login has failed: nothing that the server says then is of use.
    private var isOver = false
    private var tags = UpstreamTags(random: 0)
    /// The command in flight and its tag, once the login is done.
    private var command: (ProbeCommand, tag: ByteBuffer)?
    /// Octets of a server's text in a message to the administrator.
    private static let maximumWords = 200

    init(
        _ endpoint: Endpoint,
        credential: UpstreamCredential,
        contexts: ClientContexts,
        promise: EventLoopPromise<ProbeReport>
    ) {
        self.endpoint = endpoint
        self.contexts = contexts
        self.promise = promise
        self.login = UpstreamLogin(
            security: endpoint.tls == .starttls ? .startTLS : .established,
            credential: credential.forServer,
            known: nil,
            tags: UpstreamTags(random: .random(in: .min ... .max))
        )
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case TLSUserEvent.handshakeCompleted = event else {
            return context.fireUserInboundEventTriggered(event)
        }
        let handler = try? context.pipeline.syncOperations.handler(type: TLSHandler.self)
        self.report.tls = handler.map { "\($0.tlsVersion) \($0.cipher)" }
        guard self.endpoint.tls == .starttls else { return }
        for action in self.login.tlsEstablished() { self.perform(action, context: context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let octets = self.unwrapInboundIn(data)
        self.octets += octets.readableBytes
        guard self.octets <= Self.maximumOctets else {
            self.promise.fail(ProbeError.tooMuch)
            return context.close(promise: nil)
        }
        self.reader.receive(octets)
        do {
            while !self.isOver, let response = try self.reader.next() {
                self.responseReceived(response, context: context)
            }
        } catch {
            self.promise.fail(self.failure(error.reason))
            context.close(promise: nil)
        }
    }

    /// Why what came cannot be read. Whoever has greeted in IMAP speaks it.
    private func failure(_ reason: SyntaxError.Reason) -> ProbeError {
        if reason == .lineTooLong { return .tooMuch }
        var line = self.reader.unread
        let isGreeting = line.readSlice(length: 4) == ByteBuffer(staticString: "* OK")
        guard isGreeting || !self.report.greeting.isEmpty else { return .protocolViolation }
        return .malformed(reason.explanation)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.promise.fail(
            self.login.awaitsVerdict
                ? ProbeError.loginUnanswered : .unreachable("the connection was closed")
        )
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.login.awaitsVerdict {
            self.promise.fail(ProbeError.loginUnanswered)
        } else if let error = error as? TLSError {
            self.promise.fail(ProbeError.notTrusted("\(error)"))
        } else {
            self.promise.fail(ProbeError.unreachable("\(error)"))
        }
        context.close(promise: nil)
    }

    private func responseReceived(_ response: ByteBuffer, context: ChannelHandlerContext) {
        if self.report.greeting.isEmpty {
            self.report.greeting = Reply.printable(response, maximumOctets: 200)
        }
        guard let (command, tag) = self.command, let names = self.names else {
            let awaitedVerdict = self.login.awaitsVerdict
            let actions = self.login.responseReceived(
                response,
                isLast: self.reader.bufferedOctets == 0
            )
            // BYE instead of an answer.
            if awaitedVerdict, actions == [.fail(.refusedGreeting)] {
                return self.promise.fail(ProbeError.loginUnanswered)
            }
            for action in actions { self.perform(action, context: context) }
            return
        }
        switch try? ResponseHead(response) {
        case .data(.list):
            self.listed(response, names: names)
        case .tagged(tag, let condition, let text):
            self.completed(command, condition: condition, text: text, context: context)
        case nil:
            self.promise.fail(
                ProbeError.malformed("a line is no response: \(UnreadableLine(response))")
            )
            context.close(promise: nil)
        default:
            break
        }
    }

    private func listed(_ response: ByteBuffer, names: UpstreamNames) {
        guard let list = try? ListResponse(response) else { return self.report.omit(response) }
        if let folder = names.folder(listedAs: list.mailbox) {
            self.report.add(folder, list: list)
        } else if names.isOmitted(list.mailbox) {
            self.report.omit(response)
        }
    }

    private func completed(
        _ command: ProbeCommand,
        condition: Condition,
        text: ByteBuffer,
        context: ChannelHandlerContext
    ) {
        guard condition == .ok else {
            let words = Reply.printable(text, maximumOctets: Self.maximumWords)
            return self.promise.fail(ProbeError.refused(command, words: words))
        }
        switch command {
        case .list: self.send("EXAMINE INBOX", command: .inbox, context: context)
        case .inbox: self.promise.succeed(self.report)
        }
    }

    private func send(
        _ text: StaticString,
        command: ProbeCommand,
        context: ChannelHandlerContext
    ) {
        let tag = self.tags.next()
        self.command = (command, tag)
        var line = tag
        line.writeStaticString(" ")
        line.writeStaticString(text)
        line.writeStaticString("\r\n")
        context.writeAndFlush(self.wrapOutboundOut(line), promise: nil)
    }

    private func perform(_ action: UpstreamLogin.Action, context: ChannelHandlerContext) {
        switch action {
        case .send(let octets):
            context.writeAndFlush(self.wrapOutboundOut(octets), promise: nil)
        case .startTLS:
            self.startTLS(context)
        case .ready(let profile):
            self.list(profile, context: context)
        case .fail(let failure):
            self.isOver = true
            self.promise.fail(ProbeError(failure))
        }
    }

    private func startTLS(_ context: ChannelHandlerContext) {
        do {
            try context.pipeline.syncOperations.addHandler(
                TLSHandler(
                    client: try self.contexts.context(for: self.endpoint),
                    serverName: self.endpoint.host
                ),
                position: .first
            )
        } catch {
            self.promise.fail(ProbeError.notTrusted("\(error)"))
        }
    }

    private func list(_ profile: UpstreamProfile, context: ChannelHandlerContext) {
        self.report.capabilities = profile.capabilities.sorted()
        self.report.delimiter = profile.delimiter.map { String(UnicodeScalar($0)) }
        self.names = UpstreamNames(profile)
        self.tags = self.login.remainingTags
        self.send("LIST \"\" \"*\"", command: .list, context: context)
    }
}

extension ProbeError {
    fileprivate init(_ failure: UpstreamLogin.Failure) {
        switch failure {
        case .credentialRefused: self = .credentialRefused
        case .temporarilyRefused: self = .temporarilyRefused
        case .noStartTLS: self = .noStartTLS
        case .noMechanism: self = .noMechanism
        case .noMailbox: self = .noMailbox
        case .throttled: self = .throttled
        case .tooManyResponses: self = .tooMuch
        case .notIMAP: self = .protocolViolation
        case .refusedGreeting: self = .malformed("it refuses the connection (BYE, NO or BAD)")
        case .preauthenticated: self = .malformed("it is logged in before the login (PREAUTH)")
        case .octetsBehindStartTLS: self = .malformed("it sends octets behind STARTTLS")
        case .unexpectedResponse:
            self = .malformed(
                "its answer to a command of the login is missing, or is another one's"
            )
        }
    }
}
