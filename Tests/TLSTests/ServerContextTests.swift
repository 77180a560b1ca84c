import Foundation
import NIOCore
import NIOEmbedded
import Testing

@testable import TLS

/// The certificates of a listener: chosen by name, read again, and refused with their file's name.
@Suite struct ServerContextTests {
    /// What a client may ask for, and whether the first certificate, or the one with a wildcard, is shown.
    @Test(arguments: [
        ("mail.kanzlei.example", "mail"), ("MAIL.Kanzlei.Example", "mail"),
        ("imap.praxis.example", "wildcard"), ("IMAP.PRAXIS.example", "wildcard"),
    ])
    func `a certificate is chosen by the name that is asked for`(
        name: String,
        shown: String
    ) throws {
        let certificates = try Certificates.shared.get()
        let server = try TLSServerContext.testing([certificates.mail, certificates.wildcard])
        let pair = try Pair(.testing(), server, name: name)
        try pair.exchange()
        #expect(pair.client.recorder.isHandshakeComplete, "\(shown)")
        #expect(pair.client.recorder.errors == [])
    }

    @Test(arguments: ["a.b.praxis.example", "praxis.example", "unknown.example", "kanzlei.example"])
    func `a name that none is for gets the first, and does not trust it`(name: String) throws {
        let certificates = try Certificates.shared.get()
        let server = try TLSServerContext.testing([certificates.mail, certificates.wildcard])
        let pair = try Pair(.testing(), server, name: name)
        try pair.exchange()
        #expect(!pair.client.recorder.isHandshakeComplete)
        #expect(pair.client.recorder.errors == [.nameMismatch])
    }

    @Test func `a listener without certificates, or with files that are none, is refused`() throws {
        let mail = try Certificates.shared.get().mail
        func error(_ files: [TLSCertificateFiles]) -> TLSError? {
            do {
                _ = try TLSServerContext(
                    TLSServerConfiguration(certificates: files, alpn: [], sessionContext: "x")
                )
                return nil
            } catch {
                return error
            }
        }
        #expect(error([mail]) == nil)
        #expect(error([]) == .unusableFile("no certificate"))
        #expect(
            error([TLSCertificateFiles(certificate: "/nowhere.pem", key: mail.key)])
                == .unusableFile("/nowhere.pem")
        )
        #expect(
            error([TLSCertificateFiles(certificate: mail.certificate, key: "/nowhere.key")])
                == .unusableFile("/nowhere.key")
        )
        // The files in the wrong order.
        #expect(
            error([TLSCertificateFiles(certificate: mail.key, key: mail.certificate)])
                == .unusableFile(mail.key)
        )
        let other = try Certificates.shared.get().wildcard
        #expect(
            error([TLSCertificateFiles(certificate: mail.certificate, key: other.key)])
                == .keyDoesNotMatch(other.key)
        )
        // One that is wrong among some that are right.
        #expect(
            error([mail, TLSCertificateFiles(certificate: "/nowhere.pem", key: mail.key)])
                == .unusableFile("/nowhere.pem")
        )
    }

    @Test func `certificates that are read again count for the next handshake`() throws {
        let certificates = try Certificates.shared.get()
        let folder = certificates.folder.appendingPathComponent(
            "reload-\(UInt64.random(in: .min ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let files = TLSCertificateFiles(
            certificate: folder.appendingPathComponent("a.pem").path,
            key: folder.appendingPathComponent("a.key").path
        )
        func put(_ other: TLSCertificateFiles) throws {
            for (from, to) in [(other.certificate, files.certificate), (other.key, files.key)] {
                try? FileManager.default.removeItem(atPath: to)
                try FileManager.default.copyItem(atPath: from, toPath: to)
            }
        }
        try put(certificates.wildcard)
        let store = try TLSServerContextStore(
            TLSServerConfiguration(certificates: [files], alpn: [], sessionContext: "x")
        )
        func isTrusted(_ name: String) throws -> Bool {
            let pair = try Pair(.testing(), store.current, name: name)
            try pair.exchange()
            return pair.client.recorder.isHandshakeComplete
        }
        #expect(try isTrusted("a.praxis.example") && !isTrusted("mail.kanzlei.example"))
        let standing = try Pair(.testing(), store.current, name: "a.praxis.example")
        try standing.exchange()
        try put(certificates.mail)
        #expect(try isTrusted("a.praxis.example"), "nothing was read yet")
        try store.reload()
        #expect(try !isTrusted("a.praxis.example") && isTrusted("mail.kanzlei.example"))
        // Who is connected stays.
        standing.client.write("a1 NOOP\r\n")
        try standing.exchange()
        #expect(standing.server.recorder.text == "a1 NOOP\r\n")
        // What cannot be used changes nothing.
        try Data("x".utf8).write(to: URL(fileURLWithPath: files.key))
        #expect(throws: TLSError.unusableFile(files.key)) { try store.reload() }
        #expect(try isTrusted("mail.kanzlei.example"))
    }

    @Test func `trusted certificates that are none are named`() throws {
        let folder = try Certificates.shared.get().folder
        let file = folder.appendingPathComponent("no-\(UInt64.random(in: .min ... .max)).pem").path
        try Data("no certificate".utf8).write(to: URL(fileURLWithPath: file))
        for path in [file, "/nowhere/ca.pem"] {
            #expect(throws: TLSError.unusableFile(path)) {
                _ = try TLSClientContext(TLSClientConfiguration(caFile: path, alpn: []))
            }
        }
    }

    /// Each error is one sentence, and none has what a peer sent in it but OpenSSL's own words.
    @Test(arguments: [
        TLSError.handshakeFailed("x"), .certificateUnverified("x"), .nameMismatch, .protocolVersion,
        .noCommonProtocol, .protocolViolation("x"), .uncleanShutdown, .closedDuringHandshake,
        .unusableName, .unusableFile("x"), .keyDoesNotMatch("x"), .unusableSettings, .outOfMemory,
    ])
    func `an error says what is wrong in one line`(error: TLSError) {
        #expect(!error.description.isEmpty && !error.description.contains("\n"))
    }

    /// Octets of a peer that are no TLS, or TLS that was changed on its way.
    @Test(arguments: [
        "* OK ready\r\n", "GET / HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}", "\0\0\0\0\0\0\0\0",
        String(repeating: "x", count: 20_000),
    ])
    func `what is no handshake ends the connection with an error, once`(text: String) throws {
        for isServer in [true, false] {
            let pair = try Pair(.testing(), .testing())
            let end = isServer ? pair.server : pair.client
            end.receive(ByteBuffer(string: text))
            if text.utf8.count > 5 {
                #expect(end.recorder.errors.count == 1, "\(isServer)")
            }
            #expect(!end.recorder.isHandshakeComplete && end.recorder.received.readableBytes == 0)
        }
    }

    @Test(arguments: Version.allCases, [0, 5, 6, 20, 40])
    func `an octet that is changed on its way ends the connection, and nothing of it arrives`(
        version: Version,
        place: Int
    ) throws {
        let pair = try Pair.open(version)
        pair.client.write(String(repeating: "secret ", count: 10))
        var sent = try pair.client.takeSent()
        let index = sent.readerIndex + place
        let octet: UInt8 = try #require(sent.getInteger(at: index))
        sent.setInteger(octet ^ 0x10, at: index)
        pair.server.receive(sent)
        #expect(pair.server.recorder.received.readableBytes == 0)
        #expect(pair.server.recorder.errors.count <= 1)
        pair.client.write("more")
        pair.server.receive(try pair.client.takeSent())
        #expect(pair.server.recorder.received.readableBytes == 0)
    }
}
