import Foundation
import Testing

@testable import gatepost

/// The search for keys that `apply` does not know.
@Suite struct DocumentKeysTests {
    @Test(arguments: [
        ("{}", nil),
        (#"{"users":[],"walls":[]}"#, nil),
        (#"{"user":[]}"#, "user"),
        (#" { "users" : [ { "login" : "a" , "nmae" : "b" } ] } "#, "users.nmae"),
        (#"{"accounts":[{"imap":{"host":"x","Port":1}}]}"#, "accounts.imap.Port"),
        (#"{"accounts":[{"imap":{"host":"x"},"port":1}]}"#, "accounts.port"),
        (
            #"{"grants":[{"scope":"account"},{"scope":{"folder":"a","sub":true}}]}"#,
            "grants.scope.sub"
        ),
        (#"{"grants":[{"scope":{"folder":"a"},"folder":"b"}]}"#, "grants.folder"),
        (#"{"groups":[{"name":"g","members":["x","y"]},{"nam":1}]}"#, "groups.nam"),
        // A text that looks like a key, and a key in a text.
        (#"{"groups":[{"name":"\"x\":","members":["\\","\"nam\":1"]}]}"#, nil),
        (#"{"groups":[{"name":"a\\","members":[]}],"x":1}"#, "x"),
        // Escapes in a key.
        (#"{"us\u0065rs":[{"l\u006fgin":"a"}]}"#, nil),
        (#"{"us\u0065r":[]}"#, "user"),
        (#"{"users":[{"lo\"gin":1}]}"#, #"users.lo"gin"#),
        ("{\"users\"\n\t\r :[]}", nil),
        ("{\"user\"\n\t\r :[]}", "user"),
        ("{\"us\u{E9}rs\":[]}", "us\u{E9}rs"),
        (#"{"users":[[{"login":"a"}]]}"#, nil),
        (#"{"users":{"a":{"b":1}}}"#, "users.a"),
        (#"{"walls":[{"reason":"r"}],"walls":[{"raison":"r"}]}"#, "walls.raison"),
    ])
    func `the first unknown key is found with its path`(text: String, path: String?) throws {
        #expect(try DocumentKeys.firstUnknown(in: Data(text.utf8)) == path)
    }

    @Test(arguments: ["{\"users\":[\"", "{\"", "{\"a\\", "", "{\"users\":", "[1,2"])
    func `text that is cut off ends the search`(text: String) throws {
        _ = try DocumentKeys.firstUnknown(in: Data(text.utf8))
    }
}
