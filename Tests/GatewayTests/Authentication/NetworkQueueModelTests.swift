import NIOCore
import Support
import Testing

@testable import Gateway

/// The queue by networks against a plain list: nothing is lost, nothing comes twice, and each site has its turn.
@Suite struct NetworkQueueModelTests {
    /// An element and where it came from.
    private struct Entry {
        var number: Int
        var network: Network
    }

    private static let addresses =
        (0..<6).map { "2001:db8:1:\($0)::1" } + (0..<3).map { "2001:db8:2:\($0)::1" }
        + ["192.0.2.7", "192.0.2.8"]

    @Test(arguments: 0..<12)
    func `each element leaves once, in the order of its network`(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        var queue = NetworkQueue<Int>()
        var model: [Entry] = []
        for step in 0..<500 {
            let text = Self.addresses[Int.random(in: Self.addresses.indices, using: &random)]
            let network = Network(text: text)
            switch Int.random(in: 0..<7, using: &random) {
            case 0...3:
                queue.append(step, from: network)
                model.append(Entry(number: step, network: network))
            case 4:
                let taken = queue.next()
                #expect((taken == nil) == model.isEmpty)
                guard let taken else { break }
                guard let index = model.firstIndex(where: { $0.number == taken }) else {
                    Issue.record("\(taken) is nobody's")
                    return
                }
                // It is the oldest of its own network.
                let oldest = model.first { $0.network == model[index].network }
                #expect(oldest?.number == taken)
                model.remove(at: index)
            case 5:
                let wanted = model.first { $0.network == network }?.number
                let removed = queue.remove(from: network) { $0 == wanted }
                #expect(removed == wanted)
                model.removeAll { $0.number == removed }
            default:
                guard let displaced = queue.makeRoom(for: network) else { break }
                guard let index = model.firstIndex(where: { $0.number == displaced }) else {
                    Issue.record("\(displaced) is nobody's")
                    return
                }
                let gone = model.remove(at: index)
                // It is the newest of a network that had more than the one that it made room for.
                #expect(!model.contains { $0.network == gone.network && $0.number > displaced })
            }
            #expect(queue.count == model.count, "step \(step)")
        }
        var rest: [Int] = []
        while let next = queue.next() { rest.append(next) }
        #expect(rest.sorted() == model.map(\.number).sorted())
        #expect(queue.count == 0)
    }

    @Test(arguments: [2, 5, 9])
    func `each site is served once before any site is served twice`(sites: Int) {
        var queue = NetworkQueue<Int>()
        for number in 0..<10 * sites {
            let site = number % sites
            queue.append(site, from: Network(text: "2001:db8:\(site + 1):\(number)::1"))
        }
        for _ in 0..<10 {
            let round = (0..<sites).compactMap { _ in queue.next() }
            #expect(Set(round).count == sites)
        }
        #expect(queue.next() == nil)
    }

    @Test func `a flood from one site takes no turn of another site`() {
        var queue = NetworkQueue<String>()
        for number in 0..<5_000 {
            queue.append("flood", from: Network(text: "2001:db8:1:\(number % 9_999)::1"))
        }
        queue.append("late", from: Network(text: "192.0.2.7"))
        #expect([queue.next(), queue.next()] == ["flood", "late"])
    }

    // MARK: - Networks

    @Test(arguments: 0..<4)
    func `an address belongs to its network, and the network to its site`(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        for _ in 0..<200 {
            let octets = (0..<16).map { _ in UInt8.random(in: 1 ... .max, using: &random) }
            var neighbour = octets
            neighbour[Int.random(in: 8..<16, using: &random)] ^= 0xFF
            #expect(Network(packed: octets) == Network(packed: neighbour))
            var other = octets
            other[Int.random(in: 6..<8, using: &random)] ^= 0xFF
            #expect(Network(packed: octets) != Network(packed: other))
            #expect(Network(packed: octets).site == Network(packed: other).site)
            other[Int.random(in: 0..<6, using: &random)] ^= 0xFF
            #expect(Network(packed: octets).site != Network(packed: other).site)
            #expect(Network(packed: octets).site.site == Network(packed: octets).site)
        }
    }

    @Test(arguments: [
        "192.0.2", "192.0.2.256", "192.0.2.7:25", " 192.0.2.7", "2001:db8::1%eth0", "[::1]", "::g",
        "localhost", "0x7f.1",
    ])
    func `texts that are not addresses all give the empty network`(text: String) {
        #expect(Network(text: text).octets == [])
        #expect(Network(text: text) == Network(text: nil))
        #expect(Network(text: text).description == "")
    }

    @Test func `a socket address gives the network of its IP address`() throws {
        for text in ["192.0.2.7", "2001:db8:1:2::9"] {
            let address = try SocketAddress(ipAddress: text, port: 25)
            #expect(Network(address) == Network(text: text))
        }
        #expect(Network(try SocketAddress(unixDomainSocketPath: "/x")) == Network(text: nil))
    }
}
