import CLDAP

/// The result of an operation (RFC 4511 §4.1.9).
struct DirectoryResult: Equatable {
    /// The operation, which decides what a result code means.
    enum Operation: String {
        case bind
        case startTLS = "StartTLS"
        case search
        case identity = "Who am I?"
    }

    /// The result code of the server, or a negative one of libldap.
    var code: CInt
    /// The diagnostic message of the server, printable.
    var text: String

    /// The error of a result other than success.
    ///
    /// Only code 0 is a success: a referral (10) and an unfinished SASL bind (14) have no result.
    /// - Parameter limit: the caller's limit of entries.
    func error(of operation: Operation, limit: Int = 0) -> DirectoryError {
        let reason = self.reason(of: operation)
        switch self.code {
        case LDAP_BUSY, LDAP_UNAVAILABLE, LDAP_SERVER_DOWN, LDAP_TIMEOUT, LDAP_CONNECT_ERROR,
            LDAP_TIMELIMIT_EXCEEDED:
            return .unavailable(reason)
        case LDAP_INVALID_CREDENTIALS, LDAP_INAPPROPRIATE_AUTH, LDAP_CONSTRAINT_VIOLATION,
            LDAP_UNWILLING_TO_PERFORM, LDAP_INSUFFICIENT_ACCESS, LDAP_NO_SUCH_OBJECT:
            // Some servers answer noSuchObject to the bind of an unknown name.
            return operation == .bind ? .refused(reason) : .failed(reason)
        case LDAP_SIZELIMIT_EXCEEDED where operation == .search:
            return .failed(
                "the server returns only a part of the matching entries: its own limit is less "
                    + "than \(limit) (\(reason))"
            )
        default:
            return .failed(reason)
        }
    }

    /// The code, its name, the server's text and what Active Directory means by it.
    private func reason(of operation: Operation) -> String {
        let name = PeerText.printable(ldap_err2string(self.code))
        let text = self.text.isEmpty ? "" : ": \(self.text)"
        let hint = Self.activeDirectoryHint(self.text).map { " [\($0)]" } ?? ""
        return "\(operation.rawValue): LDAP result \(self.code), \(name)\(text)\(hint)"
    }

    /// The meaning of a sub-code of Active Directory, such as `data 52e`.
    static func activeDirectoryHint(_ text: String) -> String? {
        let words = text.lowercased().split { $0 == " " || $0 == "," }
        guard let index = words.firstIndex(of: "data"), index + 1 < words.endIndex else {
            return nil
        }
        return switch words[index + 1] {
        case "525": "the user does not exist"
        case "52e": "wrong user name or password"
        case "530": "the user may not log in at this time"
        case "531": "the user may not log in from this computer"
        case "532": "the password has expired"
        case "533": "the account is disabled"
        case "701": "the account has expired"
        case "773": "the user must change the password first"
        case "775": "the account is locked"
        default: nil
        }
    }
}
