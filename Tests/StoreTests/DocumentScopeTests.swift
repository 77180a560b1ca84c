import Access
import Foundation
import Store
import Testing

/// The scope of a grant in a document: encoding, decoding and refusals.
@Suite struct DocumentScopeTests {
    static let scopes: [(ModelDocument.Scope, String)] = [
        (.account, #""account""#),
        (.folder("Akten", isSubtree: false), #"{"folder":"Akten","subtree":false}"#),
        (.folder("Akten/Neu", isSubtree: true), #"{"folder":"Akten/Neu","subtree":true}"#),
        (.folder("account", isSubtree: false), #"{"folder":"account","subtree":false}"#),
        (.folder("", isSubtree: true), #"{"folder":"","subtree":true}"#),
        (.folder("\"", isSubtree: false), #"{"folder":"\"","subtree":false}"#),
    ]

    @Test(arguments: scopes)
    func `a scope is encoded in one form and decoded again`(
        scope: ModelDocument.Scope,
        text: String
    ) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        #expect(String(decoding: try encoder.encode(scope), as: UTF8.self) == text)
        #expect(try Self.decoded(text) == scope)
    }

    /// The scope of the only grant of a document.
    private static func decoded(_ scope: String) throws -> ModelDocument.Scope? {
        let text = #"{"grants":[{"account":"a","subject":"b","scope":\#(scope)}]}"#
        return try ModelDocument(json: Data(text.utf8)).grants?[0].scope
    }

    /// Other accepted forms.
    @Test(arguments: [
        (#"{"folder":"Akten"}"#, ModelDocument.Scope.folder("Akten", isSubtree: false)),
        (#"{"folder":"Akten","subtree":null}"#, .folder("Akten", isSubtree: false)),
        (#"{ "subtree" : true , "folder":"Akten"}"#, .folder("Akten", isSubtree: true)),
    ])
    func `a folder without subtree excludes the folders below`(
        text: String,
        scope: ModelDocument.Scope
    ) throws {
        #expect(try Self.decoded(text) == scope)
    }

    @Test(arguments: [
        #"{"folder":1}"#, #"{"folder":null}"#, #"{"folder":"a","subtree":"yes"}"#,
        #"{"folder":"a","subtree":1}"#, #"{"Folder":"a"}"#, #"["account"]"#, "true", "0", "",
        #""account "#, #""ACCOUNT""#, #""Akten""#, #"{"folder":"a","more":1}"#,
        #"{"folder":"a","folder":"b"}"#, "{}",
    ])
    func `an invalid scope is refused and never becomes the whole account`(text: String) {
        #expect(throws: JSONError.self) { try Self.decoded(text) }
    }

    @Test func `applying a document validates its folder names`() throws {
        let office = try Office()
        try office.grant("info", "anna", .view, scope: .folder(try Office.path("Akten")))
        for name in ["", "/", "a//b", "a\u{1}"] {
            var document = try office.store.export()
            document.grants?[0].scope = .folder(name, isSubtree: true)
            let refusal = Office.refusal {
                try office.store.apply(document, dryRun: false, actor: "test")
            }
            #expect(refusal?.contains("cannot be a folder") == true)
        }
        // A document can reduce a subtree to one folder.
        var document = try office.store.export()
        document.grants?[0].scope = .folder("Akten", isSubtree: true)
        _ = try office.store.apply(document, dryRun: false, actor: "test")
        let below = try Office.path("Akten/Neu")
        #expect(try office.access(of: "anna", to: "info").rights(in: below) == .view)
        document.grants?[0].scope = .folder("Akten", isSubtree: false)
        _ = try office.store.apply(document, dryRun: false, actor: "test")
        #expect(try office.access(of: "anna", to: "info").rights(in: below) == [])
    }
}
