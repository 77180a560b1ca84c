import Exchange
import Foundation
import Support
import Testing

/// T473, for files: an input of twice the size takes twice the time.
@Suite(.serialized) struct LinearTimeTests {
    private static let columns =
        "\"Identity\",\"User\",\"AccessRights\",\"IsInherited\",\"Deny\"\r\n"
    private static let row =
        "\"sales\",\"kim@contoso.example\",\"FullAccess\",\"False\",\"False\"\r\n"
    private static let object =
        #"{"Identity":"sales","User":"kim@contoso.example","AccessRights":["FullAccess"],"#
        + #""Deny":{"IsPresent":false},"IsInherited":false}"#

    /// The text before the repeated part, the repeated part, and the text after it.
    static let shapes: [[String]] = [
        [columns, row, ""], [columns + "\"", "\"\"", "\""], [columns, ",", ""],
        [columns, "\r\n", ""],
        [columns + "\"sales\",\"", "a\n", "\",\"FullAccess\",\"False\",\"False\""],
        ["[", object + ",", object + "]"], ["", "[", ""], ["[", "{\"a\":", ""],
        ["[\"", "\\u00e9", "\"]"],
        ["[{", "\"a\":1,", "\"b\":2}]"], ["[", "1,", "2]"], ["[", " ", "]"],
    ]

    @Test(arguments: shapes)
    func `the time to read an export grows linearly`(shape: [String]) {
        let ratio = Linearity.ratio(from: 1 << 17, upTo: 1 << 20) { count in
            let text =
                shape[0] + String(repeating: shape[1], count: count / shape[1].utf8.count)
                + shape[2]
            let octets = Data(text.utf8)
            return { _ = try? PermissionsReader.read([("file", octets)]) }
        }
        #expect(ratio < Linearity.most)
    }
}
