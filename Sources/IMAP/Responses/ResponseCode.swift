package import struct NIOCore.ByteBuffer

/// A response code that the gateway knows (RFC 9051 §7.1). Others are dropped with their value.
package enum ResponseCode: Equatable, Sendable {
    case capability([String])
    case permanentFlags([ByteBuffer])
    case readOnly
    case readWrite
    case tryCreate
    case uidNext(UInt32)
    case uidValidity(UInt32)
    case unseen(UInt32)
    case uidNotSticky
    case appendUID(UInt32, SequenceSet)
    case copyUID(UInt32, SequenceSet, SequenceSet)
    case highestModSeq(UInt64)
    case noModSeq
    case modified(SequenceSet)
    case closed
    case unavailable
    case authenticationFailed
    case authorizationFailed
    case expired
    case privacyRequired
    case contactAdmin
    case noPerm
    case inUse
    case expungeIssued
    case corruption
    case serverBug
    case clientBug
    case cannot
    case limit
    case overQuota
    case alreadyExists
    case nonExistent
    case notSaved
    case hasChildren
    case unknownCTE
    case tooBig
    case useAttr
    case badCharset
    case mailboxID(ByteBuffer)
    case inProgress
    /// The text must be shown to the user (RFC 9051 §7.1).
    case alert
    /// The server does not report changes of the search with this tag (RFC 5267 §4.3.1).
    case noUpdate(ByteBuffer)
    /// The server ends the notifications that NOTIFY requested (RFC 5465 §5.8).
    case notificationOverflow
    case unknown

    /// The codes without a value.
    static let plain: [ResponseCode] = [
        .readOnly, .readWrite, .tryCreate, .uidNotSticky, .noModSeq, .closed, .unavailable,
        .authenticationFailed, .authorizationFailed, .expired, .privacyRequired, .contactAdmin,
        .noPerm, .inUse, .expungeIssued, .corruption, .serverBug, .clientBug, .cannot, .limit,
        .overQuota, .alreadyExists, .nonExistent, .notSaved, .hasChildren, .unknownCTE, .tooBig,
        .useAttr, .inProgress, .alert, .notificationOverflow,
    ]

    /// The name on the wire; empty for an unknown code.
    package var name: StaticString {
        switch self {
        case .capability: "CAPABILITY"
        case .permanentFlags: "PERMANENTFLAGS"
        case .readOnly: "READ-ONLY"
        case .readWrite: "READ-WRITE"
        case .tryCreate: "TRYCREATE"
        case .uidNext: "UIDNEXT"
        case .uidValidity: "UIDVALIDITY"
        case .unseen: "UNSEEN"
        case .uidNotSticky: "UIDNOTSTICKY"
        case .appendUID: "APPENDUID"
        case .copyUID: "COPYUID"
        case .highestModSeq: "HIGHESTMODSEQ"
        case .noModSeq: "NOMODSEQ"
        case .modified: "MODIFIED"
        case .closed: "CLOSED"
        case .unavailable: "UNAVAILABLE"
        case .authenticationFailed: "AUTHENTICATIONFAILED"
        case .authorizationFailed: "AUTHORIZATIONFAILED"
        case .expired: "EXPIRED"
        case .privacyRequired: "PRIVACYREQUIRED"
        case .contactAdmin: "CONTACTADMIN"
        case .noPerm: "NOPERM"
        case .inUse: "INUSE"
        case .expungeIssued: "EXPUNGEISSUED"
        case .corruption: "CORRUPTION"
        case .serverBug: "SERVERBUG"
        case .clientBug: "CLIENTBUG"
        case .cannot: "CANNOT"
        case .limit: "LIMIT"
        case .overQuota: "OVERQUOTA"
        case .alreadyExists: "ALREADYEXISTS"
        case .nonExistent: "NONEXISTENT"
        case .notSaved: "NOTSAVED"
        case .hasChildren: "HASCHILDREN"
        case .unknownCTE: "UNKNOWN-CTE"
        case .tooBig: "TOOBIG"
        case .useAttr: "USEATTR"
        case .badCharset: "BADCHARSET"
        case .mailboxID: "MAILBOXID"
        case .inProgress: "INPROGRESS"
        case .alert: "ALERT"
        case .noUpdate: "NOUPDATE"
        case .notificationOverflow: "NOTIFICATIONOVERFLOW"
        case .unknown: ""
        }
    }
}
