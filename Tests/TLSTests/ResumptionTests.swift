import Foundation
import Testing

@testable import TLS

struct ResumptionTests {
    /// Opens and closes a connection properly.
    /// - Returns: whether each side resumed a session.
    private func connect(
        _ client: TLSClientContext,
        _ server: TLSServerContext,
        name: String = "mail.kanzlei.example"
    ) throws -> [Bool] {
        let pair = try Pair(client, server, name: name)
        try pair.exchange()
        #expect(pair.client.recorder.isHandshakeComplete)
        let reused = [pair.client.tls.isSessionReused, pair.server.tls.isSessionReused]
        _ = pair.client.close()
        try pair.exchange()
        return reused
    }

    @Test(arguments: Version.allCases)
    func `every connection except the first resumes a session`(version: Version) throws {
        let client = try TLSClientContext.testing(version: version)
        let server = try TLSServerContext.testing()
        #expect(try self.connect(client, server) == [false, false])
        for _ in 1...3 { #expect(try self.connect(client, server) == [true, true]) }
    }

    @Test func `concurrent connections leave a session each`() throws {
        let client = try TLSClientContext.testing()
        let server = try TLSServerContext.testing()
        let first = try (1...3).map { _ in try Pair(client, server) }
        for pair in first { try pair.exchange() }
        let second = try (1...4).map { _ in try Pair(client, server) }
        for pair in second { try pair.exchange() }
        #expect(first.map(\.client.tls.isSessionReused) == [false, false, false])
        #expect(second.map(\.client.tls.isSessionReused) == [true, true, true, false])
    }

    @Test(arguments: Version.allCases)
    func `a session of one listener is not resumed on another`(version: Version) throws {
        let client = try TLSClientContext.testing(version: version)
        #expect(try self.connect(client, .testing(session: "imaps")) == [false, false])
        #expect(try self.connect(client, .testing(session: "sieve")) == [false, false])
    }

    @Test func `a session is not resumed under another name or with other authorities`() throws {
        let forge = Forge(folder: try Certificates.shared.get().folder)
        let both = try forge.certificate("zwei", names: "DNS:eins.example,DNS:zwei.example")
        let client = try TLSClientContext.testing()
        let server = try TLSServerContext.testing([both])
        #expect(try self.connect(client, server, name: "eins.example") == [false, false])
        #expect(try self.connect(client, server, name: "zwei.example") == [false, false])
        #expect(try self.connect(.testing(), server, name: "eins.example") == [false, false])
    }

    @Test func `a refused server leaves no session`() throws {
        let made = try Certificates.shared.get()
        let client = try TLSClientContext.testing(version: .tls12)
        let server = try TLSServerContext.testing([made.fromStranger])
        for _ in 1...2 {
            let pair = try Pair(client, server)
            try pair.exchange()
            #expect(!pair.client.recorder.isHandshakeComplete)
            #expect(!pair.client.tls.isSessionReused)
        }
    }

    @Test func `the number of cached sessions is limited`() throws {
        let client = try TLSClientContext.testing()
        let server = try TLSServerContext.testing()
        let pairs = try (1...40).map { _ in try Pair(client, server) }
        for pair in pairs { try pair.exchange() }
        let name = try ServerName("mail.kanzlei.example")
        var kept = 0
        while client.takeSession(for: name) != nil { kept += 1 }
        #expect(kept == 16)
    }

    // MARK: - Reload

    @Test func `new handshakes use the reloaded files`() throws {
        let made = try Certificates.shared.get()
        let forge = Forge(folder: made.folder)
        let files = try forge.certificate("neu", names: "DNS:alt.example")
        let store = try TLSServerContextStore(
            TLSServerConfiguration(certificates: [files], alpn: [], sessionContext: "imaps")
        )
        let old = try Pair(.testing(), store.current, name: "alt.example")
        try old.exchange()
        _ = try forge.certificate("neu", names: "DNS:neu.example")
        let before = try Pair(.testing(), store.current, name: "neu.example")
        try before.exchange()
        #expect(before.client.recorder.errors == [.nameMismatch])
        try store.reload()
        let new = try Pair(.testing(), store.current, name: "neu.example")
        try new.exchange()
        #expect(new.client.recorder.isHandshakeComplete)
        old.client.write("still here")
        try old.exchange()
        #expect(old.server.recorder.text == "still here")
    }

    @Test func `a failed reload keeps the current certificates`() throws {
        let made = try Certificates.shared.get()
        let forge = Forge(folder: made.folder)
        let files = try forge.certificate("bleibt", names: "DNS:bleibt.example")
        let store = try TLSServerContextStore(
            TLSServerConfiguration(certificates: [files], alpn: [], sessionContext: "imaps")
        )
        let context = store.current
        try Data("no certificate".utf8).write(to: URL(fileURLWithPath: files.certificate))
        #expect(throws: TLSError.unusableFile(files.certificate)) { try store.reload() }
        #expect(store.current === context)
        let pair = try Pair(.testing(), store.current, name: "bleibt.example")
        try pair.exchange()
        #expect(pair.client.recorder.isHandshakeComplete)
    }

    @Test func `each unusable file has its own error`() throws {
        let made = try Certificates.shared.get()
        let forge = Forge(folder: made.folder)
        let foreign = TLSCertificateFiles(
            certificate: made.mail.certificate,
            key: made.wildcard.key
        )
        #expect(throws: TLSError.keyDoesNotMatch(foreign.key)) {
            try TLSServerContext.testing([foreign])
        }
        let missing = TLSCertificateFiles(certificate: made.mail.certificate, key: "/nowhere.key")
        #expect(throws: TLSError.unusableFile("/nowhere.key")) {
            try TLSServerContext.testing([missing])
        }
        #expect(throws: TLSError.unusableFile("no certificate")) {
            try TLSServerContext.testing([])
        }
        let locked = forge.path("locked.key")
        try forge.openssl(
            ["pkey", "-in", made.mail.key, "-aes256", "-passout", "pass:geheim", "-out", locked]
        )
        let secret = TLSCertificateFiles(certificate: made.mail.certificate, key: locked)
        #expect(throws: TLSError.unusableFile(locked)) { try TLSServerContext.testing([secret]) }
    }
}
