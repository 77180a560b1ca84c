/// The application that an administrator registered for the gateway in Microsoft Entra, and where
/// its organisation's servers are.
package struct EntraApplication: Sendable {
    package enum Proof: Sendable {
        case secret(String)
        case certificate(ClientCertificate)
    }

    /// Microsoft's clouds, which share nothing but the protocol.
    package enum Cloud: String, Sendable, CaseIterable {
        /// All but the three below, GCC included.
        case worldwide
        case gccHigh = "gcc-high"
        case dod
        case china

        var login: String {
            switch self {
            case .worldwide: "https://login.microsoftonline.com"
            case .gccHigh, .dod: "https://login.microsoftonline.us"
            case .china: "https://login.partner.microsoftonline.cn"
            }
        }

        /// Where Exchange's mail servers are.
        var domains: [String] {
            switch self {
            case .worldwide: ["office365.com", "outlook.com"]
            case .gccHigh, .dod: ["office365.us"]
            case .china: ["office365.cn", "outlook.cn"]
            }
        }

        var exchange: String {
            switch self {
            case .worldwide: "https://outlook.office365.com"
            case .gccHigh: "https://outlook.office365.us"
            case .dod: "https://outlook-dod.office365.us"
            case .china: "https://outlook.office365.cn"
            }
        }
    }

    package var tenant: String
    package var clientID: String
    package var proof: Proof
    package var cloud: Cloud
    /// Where tokens come from, without a path.
    package var loginURL: String
    /// Where permissions come from, without a path.
    package var exchangeURL: String
    package var scope: String
    /// Mail servers that tokens are sent to: these, and those below these. A token opens every
    /// mailbox of the application, so that no other server may see one, whatever an account says.
    package var mailDomains: [String]
    /// Certificates to trust instead of the system's, as a PEM file.
    package var caFile: String?

    package init(
        tenant: String,
        clientID: String,
        proof: Proof,
        cloud: Cloud = .worldwide,
        loginURL: String? = nil,
        exchangeURL: String? = nil,
        mailDomains: [String]? = nil,
        caFile: String? = nil
    ) {
        self.tenant = tenant
        self.clientID = clientID
        self.proof = proof
        self.cloud = cloud
        self.loginURL = loginURL ?? cloud.login
        self.exchangeURL = exchangeURL ?? cloud.exchange
        self.scope = cloud.exchange + "/.default"
        self.mailDomains = mailDomains ?? cloud.domains
        self.caFile = caFile
    }

    package func trusts(mailServer host: String) -> Bool {
        // Octets: folded as Unicode does, a Kelvin sign would be the k of a trusted name.
        let host = Array(Directory.folded(host).utf8)
        return self.mailDomains.contains { domain in
            let domain = Array(Directory.folded(domain).utf8)
            return host == domain
                || host.suffix(domain.count + 1).elementsEqual([UInt8(ascii: ".")] + domain)
        }
    }

    var tokenURL: String { "\(self.loginURL)/\(self.tenant)/oauth2/v2.0/token" }

    /// The Admin API v2.0, which Microsoft documents.
    func documentedURL(_ endpoint: String) -> String {
        "\(self.exchangeURL)/adminapi/v2.0/\(self.tenant)/\(endpoint)"
    }

    var commandURL: String { "\(self.exchangeURL)/adminapi/beta/\(self.tenant)/InvokeCommand" }
}
