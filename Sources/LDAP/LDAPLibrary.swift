import CLDAP
import Glibc

/// The process-wide state of libldap.
enum LDAPLibrary {
    /// The ciphers and TLS versions in the language of libldap's TLS library: TLS 1.2 or 1.3. Nil
    /// for a library whose language is unknown.
    ///
    /// libldap ignores `LDAP_OPT_X_TLS_PROTOCOL_MIN` with GnuTLS.
    static let ciphers: String? = {
        guard let name = gp_ldap_tls_package() else { return nil }
        defer { ldap_memfree(name) }
        return switch String(cString: name) {
        case "GnuTLS": "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
        case "OpenSSL": "HIGH:!aNULL:!eNULL:!PSK:!SRP"
        default: nil
        }
    }()

    /// The initialization, once for the process. It may block: libldap reads its configuration
    /// files and resolves the name of this machine.
    ///
    /// The process ignores SIGPIPE from here on: libldap writes to connections that the server has
    /// closed.
    private static let isReady: Bool = {
        signal(SIGPIPE, SIG_IGN)
        return LDAPLibrary.ciphers != nil
    }()

    static func initialize() {
        _ = self.isReady
    }
}
