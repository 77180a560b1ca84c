import Access
import Foundation
import NIOCore
import NIOPosix
import Session
import Store
import Support
import Testing

@testable import Gateway

/// What an administrator does with waiting copies: one that waits is tried at once or dropped, and
/// one whose message perhaps went out is only dropped.
@Suite struct SentCopyRequestTests {
    private typealias Bench = SpoolBench

    @Test func `a copy that waits is filed at once, and once`() async throws {
        let bench = try await Bench(waiting: [:])
        try bench.put("one")
        try bench.put("two")
        try bench.start()
        let listed = bench.copies.answer(SentCopyRequest(.list))
        #expect(Set(listed.attempts.map(\.name)) == [try bench.name("one"), try bench.name("two")])
        #expect(listed.attempts.allSatisfy { $0.seconds > 3_500 && $0.error == nil })
        let name = try bench.name("one")
        #expect(bench.copies.answer(SentCopyRequest(.retry, name: name)).changed == [name])
        try await bench.wait { bench.names.count == 1 }
        #expect(bench.names == ["\(try bench.name("two")).eml"])
        #expect(bench.copies.answer(SentCopyRequest(.retry, name: name)).changed.isEmpty)
        #expect(bench.copies.answer(SentCopyRequest(.retry)).changed == [try bench.name("two")])
        try await bench.wait { bench.names.isEmpty }
        #expect(bench.server.messages.count == 2)
        #expect(bench.copies.answer(SentCopyRequest(.list)).attempts.isEmpty)
        try await bench.stop()
    }

    @Test func `a refused copy says why, and waits again after a retry`() async throws {
        let bench = try await Bench(waiting: ["APPEND": "\\T NO [OVERQUOTA] full\r\n"])
        try bench.put("one")
        try bench.start()
        for count in 1...2 {
            #expect(bench.copies.answer(SentCopyRequest(.retry)).changed.count == 1)
            try await bench.wait {
                let attempts = bench.copies.answer(SentCopyRequest(.list)).attempts
                return bench.server.commands.count { $0.hasPrefix("APPEND") } >= count
                    && attempts.first?.error != nil
            }
        }
        let attempt = try #require(bench.copies.answer(SentCopyRequest(.list)).attempts.first)
        #expect(attempt.error?.contains("refused") == true, "\(attempt.error ?? "")")
        #expect(attempt.seconds <= 30, "a retry begins anew: \(attempt.seconds)")
        #expect(bench.names.count == 1)
        try await bench.stop()
    }

    @Test func `a dropped copy is gone, is not filed, and frees its space`() async throws {
        let bench = try await Bench(waiting: [:])
        try bench.put("one")
        try bench.put("two", suffix: "unknown")
        try bench.put("three")
        try bench.start()
        for name in ["one", "two"] {
            let name = try bench.name(name)
            #expect(bench.copies.answer(SentCopyRequest(.drop, name: name)).changed == [name])
        }
        try await bench.wait { bench.names.count == 1 }
        #expect(bench.names == ["\(try bench.name("three")).eml"])
        for name in ["one", "nobody", "../three", ""] {
            #expect(bench.copies.answer(SentCopyRequest(.drop, name: name)).changed.isEmpty)
        }
        #expect(bench.copies.answer(SentCopyRequest(.drop)).changed.isEmpty, "never all")
        #expect(bench.copies.answer(SentCopyRequest(.retry)).changed == [try bench.name("three")])
        try await bench.wait { bench.names.isEmpty }
        #expect(bench.server.messages.count == 1)
        try await bench.stop()
        #expect(bench.copies.space.begin([try bench.fixture.account("anna")]))
    }

    @Test func `without a gateway copies are listed and dropped in the folder`() async throws {
        let bench = try await Bench(waiting: [:])
        try bench.put("one")
        try bench.put("two", suffix: "unknown")
        for name in ["three.part", "x y.eml", "$(touch).eml"] {
            try bench.fixture.folder.write("x", as: "sent/\(name)")
        }
        try bench.fixture.folder.write("x", as: "sent/1.$(touch).eml")
        try bench.put("four", suffix: "unsent")
        let store = bench.fixture.store
        let found = SentCopies.spooled(store: store.path)
        #expect(Set(found.map(\.name)) == [try bench.name("one"), try bench.name("two")])
        for copy in found {
            let isTwo = copy.name == (try bench.name("two"))
            #expect(copy.isUnknown == isTwo)
            #expect(copy.messageID == "<\(isTwo ? "two" : "one")@x.example>")
            #expect(copy.octets > 50 && copy.since > 1_700_000_000)
            try SentCopies.drop(copy, store: store)
        }
        #expect(SentCopies.spooled(store: store.path).isEmpty)
        #expect(bench.names.count == 5, "what is no complete copy stays")
        try await bench.stop()
    }
}

extension SpoolBench {
    /// A gateway whose copies wait for an hour.
    fileprivate init(waiting script: [String: String]) async throws {
        try await self.init(script, accounts: ["anna"], settleTime: .hours(1))
    }

    /// The name of a copy for Anna's account.
    fileprivate func name(_ name: String) throws -> String {
        "\(try self.fixture.account("anna").rawValue).\(name)"
    }

    fileprivate func put(_ name: String, suffix: String = "eml") throws {
        try self.put("ACCOUNT.\(name).\(suffix)", name)
    }
}
