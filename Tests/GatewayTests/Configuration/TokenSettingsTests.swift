import Cryptography
import Foundation
import OAuth
import Session
import Testing

@testable import Gateway

/// The keys of the sources `ldap` and `oauth`.
@Suite struct TokenSettingsTests {
    private static let issuer = "https://login.x.test audience=mail claim=email"

    @Test func `issuers are read with all settings`() async throws {
        let settings = try await AuthenticationSettingsTests.read(
            """
            authentication:
              sources: [gateway, oauth]
              issuers: ["\(Self.issuer) scope=imap,smtp algorithms=ES256 jwks=https://k.x.test/k unverifiedEmail=trusted"]
            """
        )
        let issuer = try #require(settings.issuers.first)
        #expect(issuer.audiences == ["mail"] && issuer.loginClaim == "email")
        #expect(issuer.requiredScopes == ["imap", "smtp"] && issuer.algorithms == [.es256])
        #expect(
            issuer.trustsUnverifiedEmail
                && issuer.verification == .signature(.jwks(url: "https://k.x.test/k"))
        )
        #expect(settings.methods.takesPasswords && settings.methods.tokens?.scope == "imap smtp")
        #expect(settings.methods.tokens?.configuration == nil)
    }

    @Test func `a gateway with tokens only takes no passwords`() async throws {
        let settings = try await AuthenticationSettingsTests.read(
            "authentication:\n  sources: [oauth]\n  issuers: [\"\(Self.issuer)\"]"
        )
        #expect(!settings.methods.takesPasswords)
        #expect(
            settings.methods.tokens?.configuration
                == "https://login.x.test/.well-known/openid-configuration"
        )
    }

    @Test(arguments: [
        ("sources: [oauth]", "at least one issuer"),
        (
            "sources: [oauth]\n  issuers: [\"https://x.test claim=email\"]",
            "audience=NAME and claim=NAME"
        ),
        (
            "sources: [oauth]\n  issuers: [\"https://x.test audience=m claim=e algoritms=RS256\"]",
            "with one of"
        ),
        (
            "sources: [oauth]\n  issuers: [\"https://x.test audience=m claim=e algorithms=HS256\"]",
            "algorithms of RS256"
        ),
        (
            "sources: [oauth]\n  issuers: [\"https://x.test audience=m claim=e claim=f\"]",
            "once for each issuer"
        ),
        ("sources: [oauth]\n  issuers: [\"http://x.test audience=m claim=e\"]", "https"),
        (
            "sources: [oauth]\n  issuers: [\"https://x.test audience=m claim=e client=g\"]",
            "secretFile=FILE"
        ),
        (
            "sources: [oauth]\n  issuers: [\"https://x.test audience=m claim=e\", \"https://y.test audience=m claim=e\"]",
            "domains=DOMAIN"
        ),
        (
            "sources: [ldap]\n  ldap:\n    servers: [\"ldaps://x.test\"]\n    bindAs: \"uid={user},dc=x\"",
            "with {user} and {domain}"
        ),
        ("sources: [ldap]", "authentication.ldap.servers"),
        (
            "sources: [ldap]\n  ldap:\n    servers: [\"ldap.x.test\"]\n    bindAs: \"uid={user}\"",
            "ldaps://HOST"
        ),
        ("sources: [ldap]\n  ldap:\n    servers: [\"ldaps://x.test\"]", "bindAs, or base, filter"),
        (
            "sources: [ldap]\n  ldap:\n    servers: [\"ldaps://x.test\"]\n    bindAs: \"uid=anna\"",
            "{user}"
        ),
        (
            "sources: [ldap]\n  ldap:\n    servers: [\"ldaps://x.test\"]\n    bindAs: \"uid\"",
            "valid text"
        ),
        (
            "sources: [ldap]\n  ldap:\n    servers: [\"ldaps://x.test\"]\n    bindAs: \"uid={user}\"\n    base: b",
            "none beside bindAs"
        ),
    ])
    func `a wrong setting is refused with a remedy`(lines: String, message: String) async throws {
        let error = await #expect(throws: (any Error).self) {
            _ = try await AuthenticationSettingsTests.read("authentication:\n  \(lines)")
        }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(message), "\(text)")
    }
}
