import IMAP
import NIOCore
import Support
import Testing

/// The hot paths of reading: twice as much takes twice as long, however it is cut and however much was read before.
@Suite(.serialized) struct ResponseBenchmarkTests {
    @Test func `a completion is read and known in the same time, however many were before`() {
        let line = ByteBuffer(string: "G1 OK done\r\n")
        let ratio = Linearity.ratio(from: 256, upTo: 16_384) { count in
            {
                var reader = ResponseReader()
                for _ in 0..<count {
                    reader.receive(line)
                    while let piece = try? reader.next() { _ = try? ResponseHead(piece.octets) }
                }
            }
        }
        #expect(ratio < Linearity.most)
    }

    @Test func `a completion is cut in the same time, however many were before`() {
        let line = ByteBuffer(string: "G1 OK done\r\n")
        let ratio = Linearity.ratio(from: 256, upTo: 16_384) { count in
            {
                var reader = ResponseReader()
                for _ in 0..<count {
                    reader.receive(line)
                    while (try? reader.next()) != nil {}
                }
            }
        }
        #expect(ratio < Linearity.most)
    }

    @Test(arguments: [1_024, 16_384, 131_072])
    func `a literal of twice the size passes in twice the time`(size: Int) {
        let arrival = ByteBuffer(repeating: 0x61, count: size)
        let ratio = Linearity.ratio(from: 2 * size, upTo: 16 * 1_024 * 1_024) { count in
            let whole = count / size * size
            let head = ByteBuffer(string: "* 1 FETCH (BODY[] {\(whole)}\r\n")
            let end = ByteBuffer(string: ")\r\n")
            let arrivals = [head] + Array(repeating: arrival, count: count / size) + [end]
            return {
                var reader = ResponseReader()
                var octets = 0
                for arrival in arrivals {
                    reader.receive(arrival)
                    while let piece = try? reader.next() { octets += piece.octets.readableBytes }
                }
                #expect(octets == whole + head.readableBytes + end.readableBytes)
            }
        }
        #expect(ratio < Linearity.most)
    }

    /// Arrivals that end within a line, while pieces of earlier ones still wait to be written.
    @Test func `flags of twice as many messages pass in twice the time`() {
        let ratio = Linearity.ratio(from: 500, upTo: 16_000) { count in
            let lines = (1...count).map {
                "* \($0) FETCH (UID \($0 + 70_000) FLAGS (\\Seen))\r\n"
            }
            let arrivals = Array(lines.joined().utf8).cut(every: 16_384).map {
                ByteBuffer(bytes: $0)
            }
            return {
                var reader = ResponseReader()
                var pieces: [ResponseReader.Piece] = []
                pieces.reserveCapacity(count)
                for arrival in arrivals {
                    reader.receive(arrival)
                    while let piece = try? reader.next() { pieces.append(piece) }
                }
                #expect(pieces.count == count)
            }
        }
        #expect(ratio < Linearity.most)
    }
}
