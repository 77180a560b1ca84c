import IMAP

/// What becomes of a kind of untagged data.
enum ResponseTreatment {
    /// It passes as it is to the client whose command expects it; else it is withheld.
    case passed
    /// It passes with the client's tag in the place of the gateway's.
    case correlated
    /// It passes where it is about the selected mailbox, of which it says that messages went.
    case vanished
    /// It is read whole, and written anew.
    case collected(CollectedData)
    case withheld
}

/// Untagged data that the gateway reads whole.
enum CollectedData {
    case flags
    case list
    case lsub
    case status
    case quota
    case quotaRoot
}

extension DataKind {
    /// The kind's row of the table of responses: a kind without one does not compile, and what the gateway
    /// does not know is withheld.
    var treatment: ResponseTreatment {
        switch self {
        case .search, .sort, .thread: .passed
        case .esearch: .correlated
        case .vanished: .vanished
        case .flags: .collected(.flags)
        case .list: .collected(.list)
        case .lsub: .collected(.lsub)
        case .status: .collected(.status)
        case .quota: .collected(.quota)
        case .quotaRoot: .collected(.quotaRoot)
        case .capability, .enabled, .namespace, .unknown: .withheld
        }
    }
}
