import IMAP
import NIOCore
import Support
import Testing

/// Invalid responses: no trap, no dependence on splits, bounded memory.
@Suite struct ResponseFuzzTests {
    private static let corpus: [[UInt8]] =
        (ResponseReaderTests.responses + ResponseReaderTests.violations).map(\.octets)
        + (DataResponseTests.lists.map(\.0) + DataResponseTests.statuses.map(\.0)
        + DataResponseTests.quotas.map(\.0) + DataResponseTests.namespaces.map(\.0)
        + DataResponseTests.flags.map(\.0) + DataResponseTests.searches.map(\.0)
        + ResponseHeadTests.heads.map(\.0)
        + ResponseTextTests.codes.map { "* OK \($0.0)\r\n" }).map { Array($0.utf8) }
    private static let spice = Array("{}+-\"\\\r\n\0 *()[]059NIL<>:,$\u{E9}".utf8)

    private static func mutated(using generator: inout Seeded) -> [UInt8] {
        var octets = self.corpus.randomElement(using: &generator) ?? []
        if Bool.random(using: &generator) {
            octets += self.corpus.randomElement(using: &generator) ?? []
        }
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !octets.isEmpty {
            let place = Int.random(in: 0..<octets.count, using: &generator)
            let octet = self.spice.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: octets[place] = octet
            case 1: octets.insert(octet, at: place)
            case 2: octets.remove(at: place)
            case 3: octets[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            default: octets.removeSubrange(place...)
            }
        }
        return octets
    }

    private static func cutAtRandom(_ octets: [UInt8], using generator: inout Seeded) -> [[UInt8]] {
        var rest = octets[...]
        var arrivals: [[UInt8]] = []
        while !rest.isEmpty {
            let count = Int.random(in: 1...max(1, octets.count / 2), using: &generator)
            arrivals.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return arrivals
    }

    @Test(arguments: 1...10)
    func `mutated responses neither trap nor depend on where they are split`(seed: UInt64) {
        var generator = Seeded(state: seed)
        for _ in 0..<10_000 {
            let octets = Self.mutated(using: &generator)
            let whole = Reading([octets])
            let cut = Reading(Self.cutAtRandom(octets, using: &generator))
            guard whole == cut, whole.isInStep, cut.isInStep else {
                Issue.record("\(String(decoding: octets, as: UTF8.self).debugDescription)")
                continue
            }
            for response in whole.responses { Self.parse(response) }
        }
    }

    /// All parsers parse all octets.
    private static func parse(_ response: Reading.Response) {
        let octets = ByteBuffer(bytes: response.parts.flatMap(\.octets))
        let first = ByteBuffer(bytes: response.parts.first?.octets ?? [])
        _ = try? EsearchHead(first)
        if let list = try? ListResponse(octets) {
            self.expectOneResponse(list.encoded(isLsub: false))
        }
        if let status = try? StatusResponse(octets) { self.expectOneResponse(status.encoded) }
        if let quota = try? QuotaResponse(octets) { self.expectOneResponse(quota.encoded) }
        if let roots = try? QuotaRootResponse(octets) { self.expectOneResponse(roots.encoded) }
        if let flags = try? FlagsResponse(octets) {
            self.expectOneResponse(Reply.flags(flags.flags))
        }
        _ = try? NamespaceResponse(octets)
        _ = try? CapabilityResponse(octets)
        var renamer = FetchItemRenamer()
        _ = renamer.rename(octets)
        guard case .status(_, let text) = try? ResponseHead(first),
            let code = (try? ResponseText(text))?.code
        else { return }
        self.expectOneResponse(Reply.untagged(.status(code)))
    }

    /// The client gets exactly one response, regardless of the server's octets.
    private static func expectOneResponse(_ line: ByteBuffer) {
        let reading = Reading([Array(line.readableBytesView)])
        guard reading.error != nil || reading.texts != [String(buffer: line)] else { return }
        Issue.record("\(String(buffer: line).debugDescription)")
    }

    @Test(arguments: 1...4)
    func `long lines use little memory and do not depend on where they are split`(seed: UInt64) {
        var generator = Seeded(state: seed &+ 100)
        for _ in 0..<15 {
            var octets = Array("* 1 FETCH (X ".utf8)
            while octets.count < 50_000 {
                let count = Int.random(in: 1...30, using: &generator)
                let octet = Array("{ 5}+y\"(".utf8).randomElement(using: &generator) ?? 0
                octets += [UInt8](repeating: octet, count: count)
            }
            octets += Array(" {\(Int.random(in: 1...20, using: &generator))}\r\n)\r\n".utf8)
            let whole = Reading([octets])
            let cut = Reading(octets.cut(every: Int.random(in: 1_000...17_000, using: &generator)))
            #expect(whole == cut)
            #expect(cut.heldOctets <= ResponseReader.maximumFragmentOctets)
        }
    }
}
