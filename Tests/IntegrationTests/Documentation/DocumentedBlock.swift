import Foundation

@testable import gatepost

/// A fenced block of the README or of an article.
struct DocumentedBlock: Equatable {
    /// What follows the opening fence, such as `sh`.
    var language: String
    var text: String

    var firstLine: String {
        String(self.text.prefix { $0 != "\n" })
    }

    /// The blocks of a Markdown file, in its order.
    static func all(in document: String) throws -> [DocumentedBlock] {
        let text = try String(contentsOf: Self.file(of: document), encoding: .utf8)
        var blocks: [DocumentedBlock] = []
        var open: (language: String, lines: [Substring])?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("```") else {
                open?.lines.append(line)
                continue
            }
            if let block = open {
                let lines = block.lines.joined(separator: "\n")
                blocks.append(DocumentedBlock(language: block.language, text: lines))
                open = nil
            } else {
                open = (String(line.dropFirst(3)), [])
            }
        }
        guard open == nil else { throw Failure("\(document): a block has no end") }
        return blocks
    }

    /// - Parameter document: `README`, or the name of an article.
    private static func file(of document: String) -> URL {
        document == "README"
            ? self.repository.appendingPathComponent("README.md")
            : self.catalogue.appendingPathComponent("\(document).md")
    }

    static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("../../..").standardizedFileURL

    static let catalogue = Self.repository
        .appendingPathComponent("Sources/gatepost/Documentation.docc")

    /// Every document: the README, and the articles in alphabetical order.
    static func documents() throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: self.catalogue.path)
        let articles = names.filter { $0.hasSuffix(".md") }.map { String($0.dropLast(3)) }
        return ["README"] + articles.sorted()
    }
}
