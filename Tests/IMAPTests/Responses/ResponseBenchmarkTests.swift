import IMAP
import NIOCore
import Testing

/// Times of the hot paths, printed; the bounds are wide enough for any machine and build, and
/// catch only what is quadratic.
@Suite(.serialized) struct ResponseBenchmarkTests {
    private static func measure(
        _ name: String,
        _ count: Int,
        _ body: () throws -> Void
    ) rethrows -> Duration {
        // The best of ten batches: the others may have waited for the processor.
        let size = max(count / 10, 1)
        var best = Duration.seconds(3_600)
        for _ in 0..<(count / size) {
            best = min(
                best,
                try ContinuousClock().measure { for _ in 0..<size { try body() } } / size
            )
        }
        print("\(name): \(best)")
        return best
    }

    @Test func `a completion is read and known`() throws {
        let line = ByteBuffer(string: "G1 OK done\r\n")
        var reader = ResponseReader()
        let time = try Self.measure("completion", 100_000) {
            reader.receive(line)
            while let piece = try reader.next() { _ = try ResponseHead(piece.octets) }
        }
        #expect(time < .microseconds(500))
    }

    @Test func `a completion is cut`() throws {
        let line = ByteBuffer(string: "G1 OK done\r\n")
        var reader = ResponseReader()
        let time = try Self.measure("completion, cut only", 100_000) {
            reader.receive(line)
            while try reader.next() != nil {}
        }
        #expect(time < .microseconds(500))
    }

    @Test(arguments: [16_384, 131_072])
    func `a literal of 1 MB passes`(size: Int) throws {
        let head = ByteBuffer(string: "* 1 FETCH (BODY[] {1048576}\r\n")
        let arrival = ByteBuffer(repeating: 0x61, count: size)
        let end = ByteBuffer(string: ")\r\n")
        let arrivals = [head] + Array(repeating: arrival, count: 1_048_576 / size) + [end]
        var reader = ResponseReader()
        var octets = 0
        let time = try Self.measure("literal of 1 MB in \(size)", 20) {
            for arrival in arrivals {
                reader.receive(arrival)
                while let piece = try reader.next() { octets += piece.octets.readableBytes }
            }
        }
        #expect(octets == 20 * (1_048_576 + head.readableBytes + end.readableBytes))
        #expect(time < .milliseconds(20))
    }

    /// Arrivals that end within a line, while pieces of earlier ones still wait to be written.
    @Test func `flags of 10 000 messages pass`() throws {
        let lines = (1...10_000).map { "* \($0) FETCH (UID \($0 + 70_000) FLAGS (\\Seen))\r\n" }
        let arrivals = Array(lines.joined().utf8).cut(every: 16_384).map { ByteBuffer(bytes: $0) }
        var reader = ResponseReader()
        var pieces: [ResponseReader.Piece] = []
        pieces.reserveCapacity(10_000)
        let time = try Self.measure("flags of 10 000 messages", 1) {
            for arrival in arrivals {
                reader.receive(arrival)
                while let piece = try reader.next() { pieces.append(piece) }
            }
        }
        #expect(pieces.count == 10_000)
        #expect(time < .seconds(10))
    }
}
