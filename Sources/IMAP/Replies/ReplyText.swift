package import struct NIOCore.ByteBuffer

/// All texts that the gateway itself sends to a client.
///
/// A text is generic: it repeats nothing that a client or a server sent. A missing mailbox and a
/// hidden one have the same text (RFC 4314 §6).
package enum ReplyText: Equatable, Sendable {
    case completed(StaticText, ResponseCode?)
    case loggedIn([String])
    case selected(isReadOnly: Bool)
    case beginTLS
    case status(ResponseCode)
    case closed
    case someUnavailable
    case someOutdated
    case noUpdate(tag: ByteBuffer)
    // NO
    case noSuchMailbox
    case notPermitted
    case unavailable
    /// The readable part of the server's answer lacks something that the command requested.
    case answerUnreadable
    case contactAdministrator
    /// The gateway learns the credential when the owner of the mailbox logs in.
    case awaitsOwner
    /// A mail server refused the stored credential; the gateway does not try it at present.
    case credentialSuspended
    /// A mail server recently closed logins without an answer.
    case serverUnanswering
    case passwordCheckOverloaded
    /// The source that knows the user's password cannot be asked now.
    case passwordCheckUnavailable
    case tooManyConnectionsOfUser
    case authenticationFailed
    case authorizationFailed
    case privacyRequired
    case unknownMechanism
    case badCharset
    case refusedByServer(ResponseCode?)
    /// The refusal with the server's own text, for the owner of the account.
    case refusedWithText(ResponseCode?, RefusalText)
    case cannotAcrossAccounts
    case tryCreate
    case noSuchMessage
    /// Messages were expunged: the command's message numbers may mean other messages.
    case expungedMeanwhile
    /// The command has more octets than the gateway keeps.
    case tooBig
    /// The command has more parts than the gateway accepts.
    case tooManyParts
    case tooManyMessages
    case tooManySubscriptions
    case tooManyUnsubscriptions
    case tooManyWatched
    case tooManyGrants
    case inUse
    /// Copies of these messages are in the target mailbox and cannot be removed.
    case partlyCopied(SequenceSet)
    case undoneLater
    /// The source server keeps the originals of a MOVE, marked `\Deleted`.
    case movedWithMarks
    case movedLater
    case cannotOnThisServer
    /// The mailbox's server lacks this capability, spelled as in the gateway's own table.
    case lacking(String)
    /// Only the first messages of an APPEND are stored.
    case partlyStored(Int, ResponseCode?)
    case tooManyResults
    case cannotHaveName
    case cannotChangeACL
    case cannotGrantRight
    case noSuchIdentifier
    case grantedElsewhere
    case cannotChangeInbox
    case badEvent
    // BAD
    case badSyntax
    case badUnknownCommand
    case badState
    case badForServer
    /// The mailbox has no mod-sequences (RFC 7162 §3.1.2.2).
    case badNoModSeq
    case badNotEnabled
    // BYE
    case bye(Farewell)

    /// The reason for a BYE.
    package enum Farewell: Equatable, Sendable {
        case loggedOut
        case syntax
        case tooBig
        case tooManyErrors
        case tooManyLogins
        case octetsBehindStartTLS
        case loginTooLong
        case idleTooLong
        case shuttingDown
        case overloaded
        case accessEnded, endedByAdministrator, loginEnded, upstreamEnded
    }

    /// An OK without a response code.
    package static func completed(_ name: StaticText) -> ReplyText {
        .completed(name, nil)
    }

    /// Encodes condition, response code and text.
    func encode(into line: inout ByteBuffer) {
        switch self {
        case .completed(let name, let code):
            line.write(condition: "OK ", code: code, text: name)
            line.writeStaticString(" completed")
        case .loggedIn(let capabilities):
            line.write(condition: "OK ", code: .capability(capabilities), text: "Logged in")
        case .status(let code):
            line.write(condition: "OK ", code: code, text: "Ok")
        case .noUpdate(let tag):
            line.write(
                condition: "NO ",
                code: .noUpdate(tag),
                text: "Changes of this search are not told"
            )
        case .refusedByServer(let code):
            line.write(condition: "NO ", code: code, text: "Refused by the mail server")
        case .refusedWithText(let code, let words):
            line.write(condition: "NO ", code: code, text: "")
            line.writeImmutableBuffer(words.octets)
        case .partlyCopied(let uids):
            line.writeStaticString("NO Not all was copied; the other mailbox keeps copies of UIDs ")
            line.writeImmutableBuffer(uids.text)
        case .partlyStored(let count, let code):
            line.write(
                condition: "NO ",
                code: code,
                text: "Messages stored: "
            )
            line.writeString("\(count), the first of the command; the others are not stored")
        case .lacking(let capability):
            line.write(
                condition: "NO ",
                code: .lacking(capability),
                text: "The server of this mailbox has no "
            )
            line.writeString(capability)
        case .bye(let farewell):
            line.writeStaticString(farewell.text)
        case .selected, .beginTLS, .closed, .someUnavailable, .someOutdated, .noSuchMailbox,
            .noSuchMessage,
            .notPermitted, .unavailable, .contactAdministrator, .awaitsOwner, .credentialSuspended,
            .passwordCheckOverloaded, .passwordCheckUnavailable, .answerUnreadable,
            .tooManyConnectionsOfUser,
            .authenticationFailed, .authorizationFailed, .serverUnanswering, .privacyRequired,
            .unknownMechanism, .badCharset, .cannotAcrossAccounts, .tryCreate, .expungedMeanwhile,
            .tooManyMessages, .tooManySubscriptions, .tooManyUnsubscriptions, .tooManyWatched,
            .tooManyGrants, .inUse, .undoneLater, .movedWithMarks, .movedLater,
            .cannotOnThisServer, .cannotHaveName, .cannotChangeACL, .cannotGrantRight,
            .noSuchIdentifier, .grantedElsewhere, .cannotChangeInbox, .badEvent, .badSyntax,
            .badUnknownCommand, .badState, .badForServer, .tooBig, .tooManyParts, .tooManyResults,
            .badNoModSeq, .badNotEnabled:
            line.writeStaticString(self.fixed)
        }
    }

    private var fixed: StaticString {
        switch self {
        case .selected(isReadOnly: true): "OK [READ-ONLY] SELECT completed"
        case .selected(isReadOnly: false): "OK [READ-WRITE] SELECT completed"
        case .beginTLS: "OK Begin TLS negotiation now"
        case .closed: "OK [CLOSED] The mailbox is closed"
        case .someUnavailable: "NO [UNAVAILABLE] Some mailboxes cannot be reached now"
        case .someOutdated:
            "NO [UNAVAILABLE] Some mail servers do not answer; their folders are as last known"
        case .noSuchMailbox: "NO [NONEXISTENT] No such mailbox"
        case .noSuchMessage: "BAD No such message"
        case .notPermitted: "NO [NOPERM] Permission denied"
        case .unavailable:
            "NO [UNAVAILABLE] The mail server of this mailbox cannot be used now"
        case .answerUnreadable:
            "NO [UNAVAILABLE] A part of the mail server's answer cannot be read"
        case .contactAdministrator:
            "NO [CONTACTADMIN] The mail server of this mailbox does not let the gateway in"
        case .awaitsOwner:
            "NO [UNAVAILABLE] The owner of this mailbox has to log in first"
        case .credentialSuspended:
            """
            NO [UNAVAILABLE] The mail server of this mailbox refused the gateway's login; it is \
            tried again later
            """
        case .serverUnanswering:
            """
            NO [UNAVAILABLE] The mail server of this mailbox did not answer the gateway's login; it \
            is tried again in a moment
            """
        case .passwordCheckOverloaded:
            "NO [UNAVAILABLE] Too many logins are being checked; try again in a moment"
        case .passwordCheckUnavailable:
            "NO [UNAVAILABLE] Passwords cannot be checked now; try again later"
        case .tooManyConnectionsOfUser:
            "NO [UNAVAILABLE] Too many connections of this user; close some, or try again later"
        case .authenticationFailed: "NO [AUTHENTICATIONFAILED] Login failed"
        case .authorizationFailed: "NO [AUTHORIZATIONFAILED] Not possible for somebody else"
        case .privacyRequired: "NO [PRIVACYREQUIRED] Use TLS"
        case .unknownMechanism: "NO [CANNOT] Mechanism is not supported"
        case .badCharset: "NO [BADCHARSET (US-ASCII UTF-8)] Charset is not supported"
        case .cannotAcrossAccounts: "NO [CANNOT] Not possible between accounts"
        case .tryCreate: "NO [TRYCREATE] No such mailbox"
        case .expungedMeanwhile:
            "NO [EXPUNGEISSUED] A message was removed meanwhile, and message numbers have changed"
        case .tooBig: "NO [TOOBIG] Too large"
        case .tooManyParts: "NO [LIMIT] Too many or too deeply nested parts in one command"
        case .tooManyMessages: "NO [LIMIT] Too many messages at once for another account"
        case .tooManyUnsubscriptions:
            "NO [LIMIT] You have unsubscribed from too many mailboxes: subscribe to some of them"
        case .tooManySubscriptions: "NO [LIMIT] You have too many subscriptions: end some of them"
        case .tooManyWatched:
            "NO [LIMIT] Too many mailboxes to watch: name fewer, or end subscriptions"
        case .tooManyGrants:
            "NO [LIMIT] This account is shared in too many ways, or changed too often: ask your administrator"
        case .inUse: "NO [INUSE] Some of these messages are being moved: try again in a moment"
        case .undoneLater:
            "NO [UNAVAILABLE] Not copied; copies that are there go as soon as their server answers"
        case .movedWithMarks:
            "OK MOVE completed; the originals are marked \\Deleted, their server keeps them"
        case .movedLater:
            "OK MOVE completed; the originals go as soon as their server answers"
        case .cannotOnThisServer: "NO [CANNOT] The server of this mailbox cannot do that"
        case .cannotHaveName: "NO [CANNOT] A mailbox cannot have this name there"
        case .cannotChangeACL:
            "NO [CANNOT] This mailbox is on Exchange: share it there, or ask your administrator"
        case .cannotGrantRight: "NO [CANNOT] The right `a` is the owner's alone"
        case .noSuchIdentifier: "NO [CANNOT] Nothing can be granted to anybody of this name"
        case .grantedElsewhere:
            "NO [CANNOT] Granted for more than this mailbox: ask your administrator"
        case .cannotChangeInbox: "NO [CANNOT] INBOX cannot be deleted"
        case .badEvent:
            """
            NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange)] \
            Event is not supported
            """
        case .badSyntax: "BAD Syntax error"
        case .badUnknownCommand: "BAD Unknown command"
        case .badState: "BAD Not in this state"
        case .badForServer: "BAD Refused by the mail server"
        case .badNoModSeq: "BAD This mailbox has no mod-sequences"
        case .badNotEnabled: "BAD QRESYNC is not enabled"
        case .tooManyResults: "NO [LIMIT] Too many messages found"
        case .completed, .loggedIn, .status, .noUpdate, .refusedByServer, .refusedWithText,
            .partlyCopied, .partlyStored, .lacking, .bye:
            ""
        }
    }
}

extension ReplyText.Farewell {
    fileprivate var text: StaticString {
        switch self {
        case .loggedOut: "BYE Logging out"
        case .syntax: "BYE Syntax error"
        case .tooBig: "BYE [TOOBIG] Too large"
        case .tooManyErrors: "BYE Too many errors"
        case .tooManyLogins: "BYE Too many failed logins"
        case .octetsBehindStartTLS: "BYE Nothing may follow STARTTLS"
        case .loginTooLong: "BYE Login took too long"
        case .idleTooLong: "BYE Idle for too long"
        case .shuttingDown: "BYE [UNAVAILABLE] Shutting down, come back soon"
        case .overloaded: "BYE [UNAVAILABLE] Too many connections: come back later"
        case .accessEnded: "BYE Access has ended"
        case .endedByAdministrator: "BYE An administrator has ended this session"
        case .loginEnded: "BYE The password or token of this session is not valid now: log in again"
        case .upstreamEnded: "BYE [UNAVAILABLE] The mail server ended its session: connect again"
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func write(
        condition: StaticString,
        code: ResponseCode?,
        text: StaticText
    ) {
        self.writeStaticString(condition)
        code?.encode(into: &self)
        self.writeString(text.description)
    }
}

extension ResponseCode {
    /// The response code of a command that needs a missing capability. BINARY, SEARCHRES and
    /// CREATE-SPECIAL-USE have their own codes, so that a client can act on them (RFC 3516 §4.3 and
    /// §4.4, RFC 5182 §2.1, RFC 6154 §3).
    fileprivate static func lacking(_ capability: String) -> ResponseCode {
        switch capability {
        case "BINARY": .unknownCTE
        case "SEARCHRES": .notSaved
        case "CREATE-SPECIAL-USE": .useAttr
        default: .cannot
        }
    }
}
