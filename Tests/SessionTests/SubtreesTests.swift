import Access
import Testing

@testable import Session

/// Whether a folder is in one of many subtrees.
@Suite struct SubtreesTests {
    private static func path(_ text: String) throws -> FolderPath {
        try #require(FolderPath(octets: Array(text.utf8)))
    }

    @Test(
        arguments: [
            ("A", true), ("A/x", true), ("A/B", true), ("A/B/c", true), ("A x", false),
            ("A!", false), ("AB", false), ("B", false), ("B/C", true), ("B/C/d", true),
            ("B/Cd", false), ("B/D", false), ("Z", false), ("0", false),
        ]
    )
    func `a subtree contains its root and the folders below it`(
        folder: String,
        isInside: Bool
    ) throws {
        let subtrees = Subtrees(try ["B/C", "A/B", "A", "A"].map(Self.path))
        #expect(try subtrees.contains(Self.path(folder).octets[...]) == isInside)
        #expect(try !Subtrees([]).contains(Self.path(folder).octets[...]))
    }

    @Test func `the search finds the same folders as a comparison with each root`() throws {
        var random = SystemRandomNumberGenerator()
        func name() throws -> FolderPath {
            let levels = (0...Int.random(in: 0...2, using: &random)).map { _ in
                ["a", "a.", "a!", "b", "ab", "b "].randomElement(using: &random) ?? "a"
            }
            return try Self.path(levels.joined(separator: "/"))
        }
        for _ in 0..<500 {
            let roots = try (0..<4).map { _ in try name() }
            let subtrees = Subtrees(roots)
            let folder = try name()
            let isInside = roots.contains { root in
                folder == root || folder.octets.starts(with: root.octets + [Namespace.delimiter])
            }
            #expect(subtrees.contains(folder.octets[...]) == isInside, "\(folder) in \(roots)")
        }
    }
}
