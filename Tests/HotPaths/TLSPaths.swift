import Cryptography
import NIOCore
import NIOEmbedded
import Support
import TLS

/// Records between two ends of a TLS connection.
enum TLSPaths {
    static func all() -> [Path] {
        [
            Path(
                name: "tls-record-32-octets",
                unit: "record",
                rounds: 100_000,
                countedRounds: 200
            ) {
                let connection = try Connection()
                return { try connection.exchange(rounds: $0, meter: $1) }
            }
        ]
    }
}

/// Both ends of a connection, whose handshake is complete.
private struct Connection {
    private static let lifetime = 86_400

    private let client = EmbeddedChannel()
    private let server = EmbeddedChannel()

    init() throws {
        let folder = try TemporaryFolder()
        let issued = try DevelopmentAuthority(lifetime: Self.lifetime).issue(
            authorityName: "Gatepost development authority",
            names: ["localhost"]
        )
        let files = TLSCertificateFiles(
            certificate: try folder.write(issued.certificate, as: "server.pem"),
            key: try folder.write(issued.key, as: "server.key")
        )
        let authority = try folder.write(issued.authority, as: "ca.pem")
        try self.server.pipeline.syncOperations.addHandler(
            TLSHandler(
                server: TLSServerContext(
                    TLSServerConfiguration(
                        certificates: [files],
                        alpn: ["imap"],
                        sessionContext: "gatepost imap"
                    )
                )
            )
        )
        try self.client.pipeline.syncOperations.addHandler(
            TLSHandler(
                client: TLSClientContext(TLSClientConfiguration(caFile: authority, alpn: ["imap"])),
                serverName: "localhost"
            )
        )
        for channel in [self.server, self.client] {
            channel.connect(to: try SocketAddress(ipAddress: "192.0.2.7", port: 993), promise: nil)
        }
        var isMoving = true
        while isMoving {
            isMoving = false
            for (from, to) in [(self.client, self.server), (self.server, self.client)] {
                while let octets = try from.readOutbound(as: ByteBuffer.self) {
                    try to.writeInbound(octets)
                    isMoving = true
                }
            }
        }
    }

    /// Sends lines in one record each, from the client to the server and back in turns: each is
    /// encrypted at one end and decrypted at the other.
    func exchange(rounds: Int, meter: Meter) throws {
        for round in 0..<rounds {
            let (from, to) =
                round.isMultiple(of: 2) ? (self.client, self.server) : (self.server, self.client)
            let line = ByteBuffer(string: "a1 UID FETCH 4391 (BODY.PEEK[])\n")
            try meter.measure { try from.writeOutbound(line) }
            guard let record = try from.readOutbound(as: ByteBuffer.self) else {
                throw UnexpectedAnswer("nothing", expected: "a record")
            }
            try meter.measure { try to.writeInbound(record) }
            guard let read = try to.readInbound(as: ByteBuffer.self),
                read.readableBytesView.elementsEqual(line.readableBytesView)
            else { throw UnexpectedAnswer("another text", expected: "the line") }
        }
    }
}
