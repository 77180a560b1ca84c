/// The gateway's application in Microsoft Entra, and the servers of its organization's cloud.
package struct EntraApplication: Sendable {
    /// The credential of the application.
    package enum Proof: Sendable {
        case secret(String)
        case certificate(ClientCertificate)
    }

    /// Microsoft's clouds. They use the same protocols on separate servers.
    package enum Cloud: String, Sendable, CaseIterable {
        /// All organizations except those in the other three clouds; GCC is included.
        case worldwide
        case gccHigh = "gcc-high"
        case dod
        case china

        /// The origin of the token endpoint.
        var login: String {
            switch self {
            case .worldwide: "https://login.microsoftonline.com"
            case .gccHigh, .dod: "https://login.microsoftonline.us"
            case .china: "https://login.partner.microsoftonline.cn"
            }
        }

        /// The domains of Exchange's mail servers.
        var domains: [String] {
            switch self {
            case .worldwide: ["office365.com", "outlook.com"]
            case .gccHigh, .dod: ["office365.us"]
            case .china: ["office365.cn", "outlook.cn"]
            }
        }

        /// The origin of Exchange's administration interfaces.
        var exchange: String {
            switch self {
            case .worldwide: "https://outlook.office365.com"
            case .gccHigh: "https://outlook.office365.us"
            case .dod: "https://outlook-dod.office365.us"
            case .china: "https://outlook.office365.cn"
            }
        }
    }

    /// The tenant: a GUID or a domain.
    package var tenant: String
    /// The application (client) ID.
    package var clientID: String
    package var proof: Proof
    package var cloud: Cloud
    /// The origin of the token endpoint, without a path.
    package var loginURL: String
    /// The origin of the administration interfaces, without a path.
    package var exchangeURL: String
    /// The scope of a token request (RFC 6749 §3.3).
    package var scope: String
    /// The domains whose mail servers may get tokens, with their subdomains. A token opens every
    /// mailbox of the application, so an account's settings must not send it to another server.
    package var mailDomains: [String]
    /// A PEM file of authorities to trust instead of the system's.
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

    /// Whether a mail server may get the application's tokens.
    package func trusts(mailServer host: String) -> Bool {
        // Compare octets: Unicode case folding would turn a Kelvin sign into the `k` of a trusted
        // name.
        let host = Array(Directory.folded(host).utf8)
        return self.mailDomains.contains { domain in
            let domain = Array(Directory.folded(domain).utf8)
            return host == domain
                || host.suffix(domain.count + 1).elementsEqual([UInt8(ascii: ".")] + domain)
        }
    }

    /// The token endpoint (RFC 6749 §3.2).
    var tokenURL: String { "\(self.loginURL)/\(self.tenant)/oauth2/v2.0/token" }

    /// The URL of a cmdlet's endpoint in the Admin API v2.0.
    func documentedURL(_ endpoint: String) -> String {
        "\(self.exchangeURL)/adminapi/v2.0/\(self.tenant)/\(endpoint)"
    }

    /// The URL of `InvokeCommand`.
    var commandURL: String { "\(self.exchangeURL)/adminapi/beta/\(self.tenant)/InvokeCommand" }
}
