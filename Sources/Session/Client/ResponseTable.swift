import IMAP

/// How the gateway treats a kind of untagged data.
enum ResponseTreatment {
    /// Passed on unchanged to a client whose command expects it; otherwise withheld.
    case passed
    /// Passed on with the client's tag in place of the gateway's.
    case correlated
    /// VANISHED (RFC 7162 §3.2.10): passed on if it is about the selected mailbox. It reports
    /// removed messages.
    case vanished
    /// Collected as a whole, parsed and written anew.
    case collected(CollectedData)
    /// Never passed on.
    case withheld
}

/// Untagged data that the gateway collects as a whole.
enum CollectedData {
    case flags
    case list
    case lsub
    case status
    case quota
    case quotaRoot
}

extension DataKind {
    /// The kind's row of the response table. The compiler requires a row for every kind, and kinds
    /// that the gateway does not know are withheld.
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
