import Testing

@testable import OAuth

struct TokenIssuerTests {
    private func error(_ issuers: TokenIssuer...) -> String? {
        do throws(TokenIssuerError) { try TokenIssuer.check(issuers) } catch {
            return error.description
        }
        return nil
    }

    private func changed(_ change: (inout TokenIssuer) -> Void) -> TokenIssuer {
        var issuer = TokenIssuer.test
        change(&issuer)
        return issuer
    }

    @Test func `a configuration without an error is accepted`() {
        let other = self.changed { $0.issuer = "https://login.kanzlei.example/tenant" }
        let third = self.changed {
            $0.issuer = "kanzlei"
            $0.verification = .signature(.jwks(url: "https://[::1]:8443/keys?tenant=1"))
        }
        #expect(self.error() == nil)
        #expect(self.error(.test, other, third) == nil)
        #expect(self.error(.introspecting, other) == nil)
    }

    @Test func `an error names the issuer`() {
        let changes: [(String, (inout TokenIssuer) -> Void)] = [
            ("empty", { $0.issuer = "" }), ("a space", { $0.issuer = "a b" }),
            ("beyond ASCII", { $0.issuer = "https://küche.example" }),
            ("no audience", { $0.audiences = [] }), ("no audience", { $0.audiences = ["a", ""] }),
            ("login claim", { $0.loginClaim = "" }), ("a scope", { $0.requiredScopes = ["a b"] }),
            ("a scope", { $0.requiredScopes = [""] }), ("no signature", { $0.algorithms = [] }),
            ("discovery", { $0.issuer = "http://login.kanzlei.example" }),
            ("discovery", { $0.issuer = "https://login.kanzlei.example?x" }),
            ("a URL", { $0.verification = .signature(.jwks(url: "http://a.example/")) }),
            ("a URL", { $0.verification = .signature(.jwks(url: "https://u:p@a.example/")) }),
            (
                "a URL",
                { $0.verification = .signature(.jwks(url: "https://a.example\\@b.example/")) }
            ),
            ("a URL", { $0.verification = .signature(.jwks(url: "https://a.example/ b")) }),
            ("a URL", { $0.verification = .signature(.jwks(url: "https://")) }),
        ]
        for (text, change) in changes {
            let error = self.error(self.changed(change))
            #expect(error?.contains(text) == true, "\(text): \(error ?? "no error")")
        }
    }

    @Test func `an introspection needs credentials and a URL`() {
        for (url, clientID, secret, isValid) in [
            (nil, "a", "b", true), ("https://a.example/", "a", "b", true),
            ("http://a.example/", "a", "b", false), (nil, "", "b", false), (nil, "a", "", false),
        ] {
            let issuer = self.changed {
                $0.verification = .introspection(
                    .init(url: url, clientID: clientID, clientSecret: ClientSecret(secret))
                )
            }
            #expect((self.error(issuer) == nil) == isValid)
        }
    }

    @Test func `names are distinct, and one issuer has introspection`() {
        #expect(self.error(.test, .test)?.contains("twice") == true)
        var other = TokenIssuer.introspecting
        other.issuer = "https://sso.andere.example"
        #expect(self.error(.introspecting, other)?.contains("more than one") == true)
    }
}
