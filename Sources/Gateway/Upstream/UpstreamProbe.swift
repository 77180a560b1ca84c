import Access
import IMAP
import NIOCore
package import SASL
import Session
package import Store

/// Tests an account's mail server with one login outside any session, for `account test`, `doctor`
/// and `grant add`.
package struct UpstreamProbe: Sendable {
    package init() {}

    /// Logs in, lists the folders and opens INBOX read-only.
    /// - Throws: a ``ProbeError`` whose description names a remedy.
    package func probe(
        _ account: UpstreamAccount,
        credential: UpstreamCredential
    ) async throws(ProbeError) -> ProbeReport {
        try await Probe.run(account.imap, credential: credential) { route, promise in
            ProbeConversation(promise).open(route)
        }
    }
}

/// The commands of a probe and the server's responses. Used on its event loop only.
private final class ProbeConversation: UpstreamChannelDelegate {
    typealias Login = UpstreamLogin

    /// Octets of a server's text in a message to the administrator.
    private static let maximumWords = 200

    /// Completed once, with the report or a ``ProbeError``.
    private let promise: EventLoopPromise<ProbeReport>
    /// Closed when the promise is complete.
    private var channel: UpstreamChannel<UpstreamLogin>?
    /// Splits octets into responses, up to the limit of a response.
    private var reader = WholeResponseReader()
    /// The same limits as in operation: without them a server could fill the memory of the command.
    private var limiter = ConversationLimiter()
    /// Filled response by response.
    private var report = ProbeReport(greeting: "", capabilities: [], folders: [])
    /// Converts listed mailbox names; nil before the login ends.
    private var names: UpstreamNames?
    /// Tags that the login has not used.
    private var tags = UpstreamTags(random: 0)
    /// The command that waits for its tagged response; nil during the login.
    private var command: (ProbeCommand, tag: ByteBuffer)?

    init(_ promise: EventLoopPromise<ProbeReport>) {
        self.promise = promise
    }

    /// Opens the connection. Completing the promise closes it.
    func open(_ route: UpstreamRoute) {
        let isSTARTTLS = route.endpoint.tls == .starttls
        let loop = self.promise.futureResult.eventLoop
        let channel = UpstreamChannel(route, delegate: self, on: loop) { credential in
            UpstreamLogin(
                security: isSTARTTLS ? .startTLS : .established,
                credential: credential,
                known: nil,
                tags: UpstreamTags(random: .random(in: .min ... .max))
            )
        }
        self.channel = channel
        let bound = NIOLoopBound(channel, eventLoop: loop)
        self.promise.futureResult.whenComplete { _ in bound.value.close() }
        channel.open()
    }

    // MARK: - From the channel

    var wantsOctets: Bool { true }

    /// The login succeeded: begins with LIST.
    func channelReady(_ profile: UpstreamProfile, login: UpstreamLogin) {
        if let greeting = login.greeting {
            self.report.greeting = Reply.printable(greeting, maximumOctets: Self.maximumWords)
        }
        self.report.tls = self.channel?.tls
        self.report.capabilities = profile.capabilities.sorted()
        self.report.delimiter = profile.delimiter.map { String(UnicodeScalar($0)) }
        self.names = UpstreamNames(profile)
        self.tags = login.remainingTags
        self.send("LIST \"\" \"*\"", command: .list)
    }

    func channelFailed(_ failure: UpstreamFailure<UpstreamLogin.Failure>) {
        let owedVerdict = self.channel?.driver?.owedVerdict ?? false
        self.promise.fail(
            ProbeError(failure, of: self.channel) { failure in
                // BYE instead of an answer.
                owedVerdict && failure == .refusedGreeting ? .loginUnanswered : ProbeError(failure)
            }
        )
    }

    /// The server closed the connection before the last command was answered.
    func channelClosed() {
        self.promise.fail(ProbeError.connection(.closed))
    }

    func channelBecameWritable() {}

    /// Reads responses within the limits, and performs the next command.
    func channelReceived(_ octets: ByteBuffer) {
        guard self.limiter.takesOctets(octets.readableBytes) else {
            return self.promise.fail(ProbeError.tooMuch)
        }
        self.reader.receive(octets)
        do {
            while let command = self.command, let response = try self.reader.next() {
                self.responseReceived(response, to: command)
            }
        } catch {
            self.promise.fail(
                error.reason == .lineTooLong
                    ? ProbeError.tooMuch : .malformed(error.reason.explanation)
            )
        }
    }

    // MARK: - Commands

    /// Handles one response. Untagged responses other than LIST are ignored.
    private func responseReceived(
        _ response: ByteBuffer,
        to command: (ProbeCommand, tag: ByteBuffer)
    ) {
        switch try? ResponseHead(response) {
        case .data(.list):
            self.listed(response)
        case .tagged(command.tag, let condition, let text):
            self.completed(command.0, condition: condition, text: text)
        case nil:
            self.command = nil
            self.promise.fail(
                ProbeError.malformed("a line is not a response: \(UnreadableLine(response))")
            )
        default:
            break
        }
    }

    /// Adds a LIST response to the report.
    private func listed(_ response: ByteBuffer) {
        guard let names = self.names, let list = try? ListResponse(response) else {
            return self.report.omit(response)
        }
        if let folder = names.folder(listedAs: list.mailbox) {
            self.report.add(folder, list: list)
        } else if names.isOmitted(list.mailbox) {
            self.report.omit(response)
        }
    }

    /// A tagged response: the next command, or the end.
    private func completed(_ command: ProbeCommand, condition: Condition, text: ByteBuffer) {
        self.command = nil
        guard condition == .ok else {
            let words = Reply.printable(text, maximumOctets: Self.maximumWords)
            return self.promise.fail(ProbeError.refused(command, words: words))
        }
        switch command {
        case .list: self.send("EXAMINE INBOX", command: .inbox)
        case .inbox: self.promise.succeed(self.report)
        }
    }

    /// Sends a command with the next tag.
    private func send(_ text: StaticString, command: ProbeCommand) {
        let tag = self.tags.next()
        self.command = (command, tag)
        var line = tag
        line.writeStaticString(" ")
        line.writeStaticString(text)
        line.writeStaticString("\r\n")
        self.limiter.commandSent()
        self.channel?.write(line)
        self.channel?.flush()
    }
}

/// The errors of an IMAP login.
extension ProbeError {
    init(_ failure: UpstreamLogin.Failure) {
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
        case .preauthenticated: self = .malformed("its greeting skips the login (PREAUTH)")
        case .octetsBehindStartTLS: self = .malformed("it sends unencrypted octets after STARTTLS")
        case .unexpectedResponse:
            self = .malformed(
                "a response to a login command is missing or does not belong to it"
            )
        }
    }
}
