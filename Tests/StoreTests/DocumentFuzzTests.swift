import Access
import Foundation
import Store
import Support
import Testing

/// Damaged documents for `apply`: each changes nothing, or is applied exactly.
@Suite struct DocumentFuzzTests {
    private static let rounds =
        (ProcessInfo.processInfo.environment["FUZZ_ROUNDS"].flatMap(Int.init) ?? 12_000) / 20
    private static let spice = Array("{}[]\",:\\\r\n%'/@0-lrbodyanginfo \u{0}\u{E9}".utf8)

    private static func damaged(_ octets: [UInt8], using generator: inout Seeded) -> [UInt8] {
        var octets = octets
        for _ in 0..<Int.random(in: 1...2, using: &generator) where !octets.isEmpty {
            let place = Int.random(in: 0..<octets.count, using: &generator)
            let octet = self.spice.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: octets[place] = octet
            case 1: octets.insert(octet, at: place)
            case 2: octets.remove(at: place)
            case 3: octets[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            default:
                let end = min(octets.count, place + Int.random(in: 1...80, using: &generator))
                octets.insert(contentsOf: octets[place..<end], at: place)
            }
        }
        return octets
    }

    @Test func `a damaged document changes nothing or is applied exactly`() throws {
        let temporary = try PermissionStoreTests.Temporary()
        try temporary.addUsers("anna", "bob", "clara")
        try temporary.addAccount("bob", owner: "bob", aliases: ["b@kanzlei.example"])
        try temporary.addAccount("info")
        try temporary.store.addGroup("g", actor: "test")
        try temporary.store.join(["anna@kanzlei.example"], to: "g", actor: "test")
        try temporary.grant("bob", "group:g")
        try temporary.grant("info", "clara@kanzlei.example")
        let first = try temporary.store.export()
        let text = Array(try JSONEncoder().encode(first))
        var applied = 0
        for round in 0..<Self.rounds {
            var generator = Seeded(state: UInt64(round) + 1)
            let octets = Self.damaged(text, using: &generator)
            guard let document = try? ModelDocument(json: Data(octets)) else { continue }
            let before = try temporary.store.export()
            do {
                _ = try temporary.store.apply(document, dryRun: false, actor: "test")
            } catch is StoreError {
                #expect(try temporary.store.export() == before, "round \(round)")
                continue
            }
            applied += 1
            // The store equals the document now, and applying it again changes nothing.
            let again = try temporary.store.apply(document, dryRun: false, actor: "test")
            #expect(again.isEmpty, "round \(round): \(again)")
            let problem = try temporary.store.integrityProblem()
            #expect(problem == nil, "round \(round)")
            let after = try temporary.store.export()
            let copy = try PermissionStoreTests.Temporary()
            _ = try copy.store.apply(after, dryRun: false, actor: "test")
            #expect(try copy.store.export() == after, "round \(round)")
            _ = try temporary.store.apply(first, dryRun: false, actor: "test")
            #expect(try temporary.store.export() == first, "round \(round)")
        }
        #expect(applied > Self.rounds / 50)
    }
}
