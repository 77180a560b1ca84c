import NIOCore
import Testing

@testable import Gateway

/// The line of a command, and of its answer.
@Suite struct ControlLineTests {
    @Test func `a line is complete with its end, however it is split`() {
        var line = ControlLine(maximumOctets: 100)
        for octet in "{\"state\":true}".utf8 {
            let isTaken = line.receive(ByteBuffer(bytes: [octet]))
            #expect(isTaken)
            #expect(!line.isWhole)
        }
        let isTaken = line.receive(ByteBuffer(string: "\n"))
        #expect(isTaken)
        #expect(line.isWhole)
        #expect(String(buffer: line.octets) == "{\"state\":true}\n")
    }

    @Test func `a line that is too long is refused, and none of it is stored`() {
        var line = ControlLine(maximumOctets: 10)
        let first = line.receive(ByteBuffer(string: "0123456789"))
        #expect(first)
        let second = line.receive(ByteBuffer(string: "\n"))
        #expect(!second)
        #expect(line.octets.readableBytes == 10)
        #expect(!line.isWhole)
    }
}
