import Cryptography
import Foundation
import Testing

@testable import Exchange

/// Where an application's token goes, and what Exchange's answers say.
@Suite struct EntraApplicationTests {
    private static func application(
        _ cloud: EntraApplication.Cloud = .worldwide,
        domains: [String]? = nil
    ) -> EntraApplication {
        EntraApplication(
            tenant: "contoso.example",
            clientID: "id",
            proof: .secret("s"),
            cloud: cloud,
            mailDomains: domains
        )
    }

    /// Servers, and whether a token for the whole world may go there.
    @Test(arguments: [
        ("outlook.office365.com", true), ("OUTLOOK.OFFICE365.COM", true), ("office365.com", true),
        ("imap.outlook.com", true), ("outlook.com", true),
        ("evil-office365.com", false), ("office365.com.evil.example", false),
        ("office365.con", false),
        ("office365.com.", false), ("", false), (".office365.com", true),
        ("outloo\u{212A}.com", false),
        ("office365.us", false), ("mail.kanzlei.example", false), ("com", false),
    ])
    func `a token goes to Exchange's own servers alone`(host: String, isTrusted: Bool) {
        #expect(Self.application().trusts(mailServer: host) == isTrusted)
    }

    @Test func `each cloud has its own servers`() {
        for cloud in EntraApplication.Cloud.allCases {
            let application = Self.application(cloud)
            #expect(application.trusts(mailServer: String(cloud.exchange.dropFirst(8))))
            #expect(application.scope == cloud.exchange + "/.default")
            #expect(application.tokenURL.hasPrefix(cloud.login + "/contoso.example/"))
            #expect(application.commandURL.hasPrefix(cloud.exchange + "/adminapi/"))
            for other in EntraApplication.Cloud.allCases where cloud.domains != other.domains {
                #expect(!application.trusts(mailServer: "x." + other.domains[0]))
            }
        }
        let own = Self.application(domains: ["mail.example"])
        #expect(own.trusts(mailServer: "a.mail.example") && !own.trusts(mailServer: "outlook.com"))
    }

    @Test(arguments: [
        ("", ""), ("-----BEGIN CERTIFICATE-----", ""), ("-----BEGIN CERTIFICATE-----\nAAAA\n", ""),
        ("-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----", ""),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ""),
    ])
    func `a certificate is PEM with its marks`(certificate: String, key: String) {
        #expect(throws: OnlineError("exchange.certificate is no PEM file with a certificate")) {
            try ClientCertificate(certificatePEM: certificate, keyPEM: key)
        }
    }

    @Test(arguments: ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "EC"])
    func `a key that is no RSA key is refused`(text: String) throws {
        let issued = try DevelopmentAuthority(lifetime: 3_600).issue(
            authorityName: "An authority",
            names: ["localhost"]
        )
        let key = text == "EC" ? issued.key : text
        #expect(throws: OnlineError("exchange.certificateKey is no PEM file with an RSA key")) {
            try ClientCertificate(certificatePEM: issued.certificate, keyPEM: key)
        }
    }

    // MARK: - Answers

    private static func answer(
        _ status: Int,
        _ body: String = "",
        location: String? = nil
    ) -> AdminAnswer {
        AdminAnswer(
            .mailbox,
            answer: MicrosoftHTTPClient.Answer(
                status: status,
                retryAfter: nil,
                location: location,
                body: Data(body.utf8)
            )
        )
    }

    @Test func `rows are those of a whole list`() throws {
        #expect(try Self.answer(200, #"{"value":[{"a":1},{}]}"#).rows().count == 2)
        #expect(try Self.answer(200, #"{"value":[]}"#).rows().isEmpty)
        for body in ["", "[]", "{}", #"{"value":{}}"#, #"{"value":"x"}"#, "<html>"] {
            #expect(throws: OnlineError("Get-Mailbox returned something that is not a list")) {
                try Self.answer(200, body).rows()
            }
        }
        #expect(throws: OnlineError.self) {
            try Self.answer(200, #"{"value":[],"@odata.nextLink":"https://x"}"#).rows()
        }
    }

    @Test func `a page tells the next one, and warns of nothing else`() throws {
        let last = try Self.answer(200, #"{"value":[{}],"@odata.nextLink":null}"#).page()
        #expect(last.rows.count == 1 && last.next == nil)
        let page = try Self.answer(
            200,
            #"{"value":[],"@odata.nextLink":"https://n","@adminapi.warnings":["more results"]}"#
        ).page()
        #expect(page.next == "https://n")
        for body in [
            #"{"value":[],"@odata.nextLink":"https://n","@adminapi.warnings":["lost some"]}"#,
            #"{"value":[],"@odata.nextLink":"https://n","@adminapi.warnings":"x"}"#,
            #"{"value":[],"@odata.nextLink":5}"#,
        ] {
            #expect(throws: OnlineError.self) { try Self.answer(200, body).page() }
        }
    }

    @Test(arguments: [
        (400, true), (401, true), (403, true), (404, true), (408, false), (429, false),
        (200, false),
        (302, false), (503, false),
    ])
    func `a busy server refuses nothing`(status: Int, isRefusal: Bool) {
        #expect(Self.answer(status).isRefusal == isRefusal)
    }

    @Test func `an error has the sentence that says it, and no token`() {
        let rows: [(Int, String, String)] = [
            (500, #"{"error":{"message":"m"}}"#, "Get-Mailbox: m"),
            (
                500,
                #"{"error":{"message":"m","innererror":{"internalexception":{"message":"|A.B|deep"}}}}"#,
                "Get-Mailbox: deep"
            ),
            (
                500, #"{"error":{"message":"m","details":[{"message":"d eyJhbGci x"}]}}"#,
                "Get-Mailbox: d … x"
            ),
            (500, "", "Get-Mailbox: HTTP 500"), (500, "\u{0}\u{0}", "Get-Mailbox: HTTP 500"),
        ]
        for (status, body, text) in rows {
            #expect(Self.answer(status, body).error.description == text)
        }
        let moved = Self.answer(302, location: "https://evil.example/x").error.description
        #expect(
            moved.contains("evil.example") && moved.contains("must not get the application's token")
        )
        #expect(Self.answer(503).error.description.contains("is busy"))
        let long = String(repeating: "x", count: 9_000)
        #expect(
            Self.answer(500, #"{"error":{"message":"\#(long)"}}"#).error.description.count < 500
        )
    }
}
