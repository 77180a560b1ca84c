import Testing

@testable import TLS

struct ServerNameTests {
    static let names: [(String, String?)] = [
        ("mail.kanzlei.example", "mail.kanzlei.example"),
        ("mail.kanzlei.example.", "mail.kanzlei.example"),
        ("mail_1.kanzlei.example", "mail_1.kanzlei.example"),
        ("localhost", "localhost"),
        ("xn--kanzlei-mller-llb.example", "xn--kanzlei-mller-llb.example"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("", nil),
        (".", nil),
        (".kanzlei.example", nil),
        ("mail..example", nil),
        ("mail.kanzlei.example..", nil),
        ("*.kanzlei.example", nil),
        ("mail.kanzlei.example\u{0}.evil.test", nil),
        ("192.0.2.7\u{0}", nil),
        ("mail kanzlei.example", nil),
        ("mail.kanzlei.example\r\n", nil),
        ("kanzlei-m\u{FC}ller.example", nil),
        ("[2001:db8::7]", nil),
        ("mail.kanzlei.example:993", nil),
        (
            String(repeating: "a", count: 63) + ".example",
            String(repeating: "a", count: 63) + ".example"
        ),
        (String(repeating: "a", count: 64) + ".example", nil),
        (String(repeating: "a.", count: 126) + "a", String(repeating: "a.", count: 126) + "a"),
        (String(repeating: "a.", count: 127) + "a", nil),
    ]

    @Test(arguments: Self.names)
    func `a server name is a host name or an address`(text: String, name: String?) {
        #expect((try? ServerName(text))?.text == name)
    }

    @Test(arguments: ["", ".kanzlei.example", "mail.kanzlei.example\u{0}.evil.test"])
    func `a name that cannot be verified is refused before the handshake`(text: String) throws {
        let client = try TLSClientContext.testing()
        #expect(throws: TLSError.unusableName) { try TLSHandler(client: client, serverName: text) }
    }
}
