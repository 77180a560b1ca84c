import COpenSSL
import NIOEmbedded
import Testing

@testable import TLS

struct HandshakeTests {
    @Test(arguments: Version.allCases)
    func `both TLS versions are supported`(version: Version) throws {
        let pair = try Pair(.testing(version: version), .testing())
        try pair.exchange()
        #expect(pair.client.recorder.isHandshakeComplete)
        #expect(pair.server.recorder.isHandshakeComplete)
        #expect(pair.client.tls.tlsVersion == version.rawValue)
        #expect(pair.server.tls.cipher == pair.client.tls.cipher)
        #expect(!pair.server.tls.isSessionReused)
        pair.client.write("a1 NOOP\r\n")
        pair.server.write("* OK\r\n")
        try pair.exchange()
        #expect(pair.server.recorder.text == "a1 NOOP\r\n")
        #expect(pair.client.recorder.text == "* OK\r\n")
    }

    @Test func `the server refuses older versions`() throws {
        let client = try TLSClientContext.testing()
        let server = try TLSServerContext.testing()
        _ = gp_SSL_CTX_set_min_proto_version(client.context.pointer, TLS1_1_VERSION)
        _ = gp_SSL_CTX_set_max_proto_version(client.context.pointer, TLS1_1_VERSION)
        _ = SSL_CTX_set_cipher_list(client.context.pointer, "ALL:@SECLEVEL=0")
        SSL_CTX_set_security_level(client.context.pointer, 0)
        let pair = try Pair(client, server)
        try pair.exchange()
        #expect(pair.server.recorder.errors == [.protocolVersion])
        #expect(pair.client.recorder.errors == [.protocolVersion])
        #expect(!pair.server.channel.isActive)
        #expect(!pair.client.channel.isActive)
    }

    // MARK: - SNI

    @Test(arguments: [
        ("mail.kanzlei.example", true),
        ("MAIL.Kanzlei.Example", true),
        ("mail.kanzlei.example.", true),
        ("imap.praxis.example", true),
        ("IMAP.PRAXIS.EXAMPLE", true),
        ("a.imap.praxis.example", false),
        ("praxis.example", false),
        ("elsewhere.example", false),
    ])
    func `the certificate is selected by the requested name`(
        name: String,
        isServed: Bool
    ) throws {
        let made = try Certificates.shared.get()
        for order in [[made.mail, made.wildcard], [made.wildcard, made.mail]] {
            let pair = try Pair(.testing(), .testing(order), name: name)
            try pair.exchange()
            #expect(pair.client.recorder.errors == (isServed ? [] : [.nameMismatch]))
            #expect(pair.client.recorder.isHandshakeComplete == isServed)
        }
    }

    @Test func `an exact name precedes a wildcard`() throws {
        let forge = Forge(folder: try Certificates.shared.get().folder)
        let wildcard = try forge.certificate(
            "vor",
            names: "DNS:*.vorrang.example,DNS:first.example"
        )
        let exact = try forge.certificate("exakt", names: "DNS:mail.vorrang.example")
        let pair = try Pair(.testing(), .testing([wildcard, exact]), name: "mail.vorrang.example")
        try pair.exchange()
        let shown = try #require(SSL_get1_peer_certificate(pair.client.tls.connection.ssl))
        defer { X509_free(shown) }
        #expect(X509_check_host(shown, "first.example", 0, 0, nil) == 0)
    }

    // MARK: - ALPN

    /// The client's list, the server's list, the choice, and whether the handshake fails.
    static let protocols: [([String], [String], String?, Bool)] = [
        (["imap"], ["imap"], "imap", false),
        (["h2", "imap"], ["imap"], "imap", false),
        (["pop3", "imap"], ["imap", "pop3"], "imap", false),
        ([], ["imap"], nil, false),
        (["imap"], [], nil, false),
        (["h2", "http/1.1"], ["imap"], nil, true),
        (["imap4"], ["imap"], nil, true),
        (["IMAP"], ["imap"], nil, true),
    ]

    @Test(arguments: Self.protocols)
    func `a common application protocol is chosen, and without one the handshake fails`(
        offered: [String],
        served: [String],
        chosen: String?,
        isRefused: Bool
    ) throws {
        let pair = try Pair(.testing(alpn: offered), .testing(alpn: served))
        try pair.exchange()
        #expect(pair.server.recorder.errors == (isRefused ? [.noCommonProtocol] : []))
        #expect(pair.client.recorder.errors == (isRefused ? [.noCommonProtocol] : []))
        #expect(pair.client.recorder.isHandshakeComplete == !isRefused)
        guard !isRefused else { return }
        #expect(pair.server.tls.negotiatedProtocol == chosen)
        #expect(pair.client.tls.negotiatedProtocol == chosen)
    }

    // MARK: - The server's certificate

    typealias Shown = @Sendable (Certificates) -> TLSCertificateFiles

    enum Trouble: Sendable {
        case unverified
        case name
    }

    /// The server's certificate, the requested name, and the client's verdict.
    static let certificates: [(Shown, String, Trouble?)] = [
        (\.mail, "mail.kanzlei.example", nil),
        (\.mail, "kanzlei.example", .name),
        (\.mail, "xmail.kanzlei.example", .name),
        (\.mail, "mail.kanzlei.example.evil.test", .name),
        (\.mail, "192.0.2.7", .name),
        (\.wildcard, "imap.praxis.example", nil),
        (\.wildcard, "praxis.example", .name),
        (\.wildcard, "a.b.praxis.example", .name),
        (\.partialWildcard, "mail.partial.example", .name),
        (\.address, "192.0.2.7", nil),
        (\.address, "2001:db8::7", nil),
        (\.address, "2001:0DB8:0:0::7", nil),
        (\.address, "192.0.2.8", .name),
        (\.address, "mail.kanzlei.example", .name),
        (\.commonNameOnly, "mail.cn.example", .name),
        (\.expired, "mail.kanzlei.example", .unverified),
        (\.selfSigned, "mail.kanzlei.example", .unverified),
        (\.fromStranger, "mail.kanzlei.example", .unverified),
    ]

    @Test(arguments: Self.certificates, Version.allCases)
    func `a certificate is accepted only if it is trusted and valid for the name`(
        row: (Shown, String, Trouble?),
        version: Version
    ) throws {
        let made = try Certificates.shared.get()
        let server = try TLSServerContext.testing([row.0(made)])
        let pair = try Pair(.testing(version: version), server, name: row.1)
        pair.client.write("secret")
        try pair.exchange()
        switch (row.2, pair.client.recorder.errors.first) {
        case (nil, nil):
            #expect(pair.client.recorder.isHandshakeComplete)
            #expect(pair.server.recorder.text == "secret")
            return
        case (.name, .nameMismatch), (.unverified, .certificateUnverified):
            break
        default:
            Issue.record("\(row.1): \(pair.client.recorder.errors)")
        }
        #expect(!pair.client.recorder.isHandshakeComplete)
        #expect(pair.server.recorder.text.isEmpty)
        #expect(!pair.client.channel.isActive)
    }

    @Test func `without a CA file only the system's authorities are trusted`() throws {
        let client = try TLSClientContext(TLSClientConfiguration(caFile: nil, alpn: []))
        let pair = try Pair(client, .testing())
        try pair.exchange()
        guard case .certificateUnverified = pair.client.recorder.errors.first else {
            Issue.record("\(pair.client.recorder.errors)")
            return
        }
    }

    @Test func `a CA file replaces the system's authorities`() throws {
        let stranger = try Certificates.shared.get().stranger
        let made = try Certificates.shared.get()
        let pair = try Pair(.testing(ca: stranger), .testing([made.fromStranger]))
        try pair.exchange()
        #expect(pair.client.recorder.isHandshakeComplete)
        #expect(throws: TLSError.unusableFile("/nowhere.pem")) {
            try TLSClientContext(TLSClientConfiguration(caFile: "/nowhere.pem", alpn: []))
        }
    }

    @Test func `SNI is sent for host names only`() throws {
        let server = try TLSServerContext.testing([Certificates.shared.get().address])
        for (name, sent) in [("mail.kanzlei.example", "mail.kanzlei.example"), ("192.0.2.7", nil)] {
            let pair = try Pair(.testing(), server, name: name)
            try pair.exchange()
            let ssl = pair.server.tls.connection.ssl
            let received = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
            #expect(received.map { String(cString: $0) } == sent)
        }
    }
}
