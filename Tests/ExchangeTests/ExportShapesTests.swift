import Access
import Exchange
import Foundation
import Testing

/// Forms of real exports that the documentation does not describe: folder names, changes by Windows
/// PowerShell 5.1 and spreadsheets, and missing information.
@Suite struct ExportShapesTests {
    struct Shape: CustomTestStringConvertible, Sendable {
        var name: String
        var files: [String]
        var entries: [String] = []
        var denials: [String] = []
        var unresolved: [String] = []
        /// The expected notes, each once.
        var notes: [String] = []
        var recipients: [PermissionsDocument.Recipient] = []

        var testDescription: String { self.name }
    }

    private static func folder(
        _ path: String,
        _ name: String?,
        _ user: String = "kim@contoso.example",
        _ right: String = "Reviewer",
        type: String? = nil
    ) -> String {
        var members = [
            #""Identity":"sales:\\\#(path.replacing("\\", with: "\\\\"))""#,
            #""MailboxFolderUser":null"#, #""User":"\#(user)""#, #""AccessRights":["\#(right)"]"#,
        ]
        if let name { members.append(#""FolderName":"\#(name.replacing("\\", with: "\\\\"))""#) }
        if let type { members.append(#""FolderType":"\#(type)""#) }
        return "{\(members.joined(separator: ","))}"
    }

    private static func list(_ rows: String...) -> String { "[\(rows.joined(separator: ","))]" }

    @Test(arguments: names + wrapped + cut + inbox + csv)
    func `an export grants the rights in it, and notes what is left out`(_ shape: Shape) throws {
        let sample = ReadingTests.Sample(
            name: shape.name,
            files: shape.files,
            recipients: shape.recipients
        )
        let imported = try ReadingTests.read(sample)
        #expect(ReadingTests.lines(imported) == shape.entries.sorted())
        #expect(imported.denials.map(\.login) == shape.denials)
        #expect(imported.unresolved.map(\.principal).sorted() == shape.unresolved.sorted())
        for note in shape.notes {
            let count = imported.notes.count { $0.contains(note) }
            #expect(count == 1, "\(note): \(imported.notes)")
        }
        if shape.notes.isEmpty {
            #expect(!imported.notes.contains { $0.contains("left out") }, "\(imported.notes)")
        }
    }

    // MARK: - Folder names

    static let names = [
        Shape(
            name: "a name with a backslash is one folder, not two",
            files: [
                list(folder("cases", "cases"), folder(#"cases\github\office"#, #"github\office"#))
            ],
            entries: [
                #"kim@contoso.example lr none cases -"#,
                #"kim@contoso.example lr none cases/github\office -"#,
            ]
        ),
        Shape(
            name: "a folder below a name with a backslash, in any order of rows",
            files: [
                list(
                    folder(#"cases\github\office\open"#, "open"),
                    folder(#"cases\github\office"#, #"github\office"#)
                )
            ],
            entries: [
                #"kim@contoso.example lr none cases/github\office -"#,
                #"kim@contoso.example lr none cases/github\office/open -"#,
            ]
        ),
        Shape(
            name: "two folders with the same path, and a folder below one of them",
            files: [
                list(
                    folder(#"cases\github"#, "github"),
                    folder(#"cases\github\office"#, #"github\office"#),
                    folder(#"cases\github\office"#, "office"),
                    folder(#"cases\github\office\open"#, "open")
                )
            ],
            entries: [
                #"kim@contoso.example lr none cases/github -"#,
                #"kim@contoso.example lr none cases/github/office -"#,
                #"kim@contoso.example lr none cases/github\office -"#,
            ],
            notes: [
                #"\cases\github\office\open: its entries are left out, because a name in its path may"#
            ]
        ),
        Shape(
            name: "a folder with missing parents may be below a name with a backslash",
            files: [
                list(folder(#"cases\github\office"#, "office"), folder(#"cases\open"#, "open"))
            ],
            entries: ["kim@contoso.example lr none cases/open -"],
            notes: [#"\cases\github\office: its entries are left out"#]
        ),
        Shape(
            name: "without FolderName a path of several levels is ambiguous",
            files: [list(folder(#"cases\open"#, nil), folder("cases", nil))],
            entries: ["kim@contoso.example lr none cases -"],
            notes: [#"\cases\open: its entries are left out, because FolderName is missing, and"#]
        ),
        Shape(
            name: "a FolderName that is not the end of the path leaves out all rows of the path",
            files: [
                list(
                    folder("cases", "clients"),
                    folder("cases", "cases", "Default"),
                    folder("cases", "cases", "lee@contoso.example"),
                    folder("open", "open")
                )
            ],
            entries: ["kim@contoso.example lr none open -"],
            notes: [#"sales:\cases: its entries are left out, because FolderName is clients"#]
        ),
        Shape(
            name: "a composed FolderName does not match a decomposed path",
            files: [list(folder("Bu\u{308}ro", "B\u{FC}ro"))],
            notes: ["its entries are left out, because FolderName is B\u{FC}ro"]
        ),
        Shape(
            name: "an ambiguous row leaves out its path in every spelling",
            files: [
                list(
                    folder("cases", "clients", "kim@contoso.example", "None"),
                    folder("open", "open")
                ),
                #"[{"Identity":"sales","FolderPath":"/cases","FolderName":"cases","User":"Default","AccessRights":["Reviewer"]}]"#,
            ],
            entries: ["kim@contoso.example lr none open -"],
            notes: [#"sales:\cases: its entries are left out, because FolderName is clients"#]
        ),
        Shape(
            name: "spaces around a name are part of it",
            files: [list(folder(" open ", " open "))],
            entries: ["kim@contoso.example lr none  open  -"]
        ),
        Shape(
            name: "backslashes at the ends of names",
            files: [list(folder(#"\x"#, #"\x"#), folder(#"a\"#, #"a\"#), folder(#"a\\b"#, "b"))],
            entries: [
                #"kim@contoso.example lr none \x -"#, #"kim@contoso.example lr none a\ -"#,
                #"kim@contoso.example lr none a\/b -"#,
            ]
        ),
        Shape(
            name: "a path with slashes, from Get-MailboxFolderStatistics, is unambiguous",
            files: [
                #"[{"Identity":"sales","FolderPath":"/cases/github\\office/open","FolderName":"open","User":"kim@contoso.example","AccessRights":["Reviewer"]},{"Identity":"sales","FolderPath":"/cases/A\uF8FFB","FolderName":"A/B","User":"kim@contoso.example","AccessRights":["Reviewer"]}]"#
            ],
            entries: [#"kim@contoso.example lr none cases/github\office/open -"#],
            notes: ["has no name in IMAP: left out"]
        ),
        Shape(
            name: "one folder under two mailbox names: an orphan with fewer rights removes Default",
            files: [
                #"{"Identity":"sales","PrimarySmtpAddress":"sales@contoso.example","GrantSendOnBehalfTo":[]}"#,
                list(
                    folder("open", "open", "Default"),
                    folder("open", "open", "NT:S-1-5-21-1-1-1-1", "None")
                        .replacing("sales:", with: "sales@contoso.example:")
                ),
            ],
            unresolved: ["NT:S-1-5-21-1-1-1-1"],
            notes: ["open: rights of groups and everyone are left out"]
        ),
    ]

    // MARK: - Windows PowerShell 5.1

    static let wrapped = [
        Shape(
            name: "Windows PowerShell 5.1 wraps a list",
            files: [
                #"{"value":[{"Identity":"sales","User":"kim@contoso.example","AccessRights":{"value":["FullAccess","ReadPermission"],"Count":2},"Deny":false,"IsInherited":false}],"Count":1}"#,
                #"[{"Identity":"sales","PrimarySmtpAddress":"sales@contoso.example","EmailAddresses":{"value":[],"Count":0},"GrantSendOnBehalfTo":{"value":["lee@contoso.example"],"Count":1}}]"#,
                #"[{"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"temp@contoso.example","AccessRights":{"value":["ReadItems","FolderVisible"],"Count":2}}]"#,
            ],
            entries: [
                "kim@contoso.example lrswikxte none all -", "lee@contoso.example - on-behalf all -",
                "temp@contoso.example lr none INBOX -",
            ]
        ),
        Shape(
            name:
                "Windows PowerShell 5.1 wraps an enumeration value in an object with number and name",
            files: [
                #"[{"Identity":"sales:\\Inbox","FolderName":"Inbox","User":{"DisplayName":"Kim Akers","UserType":{"value":0,"Value":"Internal"},"RecipientPrincipal":{"PrimarySmtpAddress":"kim@contoso.example"}},"AccessRights":[{"value":1,"Value":"Reviewer"}]}]"#
            ],
            entries: ["kim@contoso.example lr none INBOX -"]
        ),
    ]

    @Test(arguments: [
        #"{"value":["FullAccess"],"Count":2}"#, #"{"value":["FullAccess"],"Count":0.5}"#,
        #"{"value":["FullAccess"],"VALUE":["FullAccess"]}"#,
    ])
    func `a list with fewer elements than its Count refuses the load`(_ rights: String) throws {
        let text =
            #"[{"Identity":"sales","User":"kim@contoso.example","AccessRights":\#(rights),"Deny":false,"IsInherited":false}]"#
        let error = try #require(throws: ReadingError.self) {
            _ = try PermissionsReader.read([("file", Data(text.utf8))])
        }
        #expect(error.description.contains("a list with fewer elements than its Count"))
    }

    @Test func `the script's document may have lists wrapped by Windows PowerShell`() throws {
        let text =
            #"{"format":"gatepost-exchange-permissions","version":1,"recipients":{"value":[],"Count":0},"mailboxes":[{"address":"sales@contoso.example","identities":[],"fullAccess":[],"sendAs":[],"sendOnBehalf":[],"folders":[{"path":{"value":["cases","github\\office"],"Count":2},"type":"User Created","entries":{"value":[{"principal":{"name":"kim@contoso.example"},"rights":{"value":["Reviewer"],"Count":1}}],"Count":1}}]}],"complete":true}"#
        let imported = try ReadingTests.read(.init(name: "", files: [text]))
        #expect(
            ReadingTests.lines(imported) == [#"kim@contoso.example lr none cases/github\office -"#]
        )
    }

    // MARK: - Truncation

    static let cut = [
        Shape(
            name: "a folder's name that ends in three dots in both columns is complete",
            files: [
                list(
                    folder("Any questions...", "Any questions..."),
                    folder("More…", "More…"),
                    folder(#"Any questions...\open"#, "open")
                )
            ],
            entries: [
                "kim@contoso.example lr none Any questions... -",
                "kim@contoso.example lr none Any questions.../open -",
                "kim@contoso.example lr none More… -",
            ]
        ),
        Shape(
            name:
                "a name that ends in three dots in one column is truncated: the folder is left out",
            files: [
                list(
                    folder("Any questions from...", "Any questions from clients"),
                    folder("Any answers from clients", "Any answers from..."),
                    folder("Any...", nil),
                    folder("open", "open")
                )
            ],
            entries: ["kim@contoso.example lr none open -"],
            notes: [
                #"\Any questions from...: its entries are left out"#,
                #"\Any answers from clients: its entries are left out"#,
                #"\Any...: its entries are left out, because FolderName is missing, and the path may"#,
            ]
        ),
        Shape(
            name: "a principal's name that may be truncated is unresolved, other entries count",
            files: [
                #"""
                [{"Identity":"sales","User":"Any questions?...","AccessRights":["FullAccess"],"Deny":false,"IsInherited":false},
                 {"Identity":"sales","User":"Any q…","UserSid":"S-1-5-21-1-1-1-1","AccessRights":["FullAccess"],"Deny":false,"IsInherited":false},
                 {"Identity":"sales","User":"lee@contoso.example","AccessRights":["FullAccess"],"Deny":false,"IsInherited":false}]
                """#,
                #"{"Identity":"sales","PrimarySmtpAddress":"sales@contoso.example","DisplayName":"Sales...","GrantSendOnBehalfTo":["Any questions?...","temp@contoso.example"]}"#,
            ],
            entries: [
                "kim@contoso.example lrswikxte none all -",
                "lee@contoso.example lrswikxte none all -",
                "temp@contoso.example - on-behalf all -",
            ],
            unresolved: ["Any questions?...", "Any questions?..."],
            recipients: [
                .init(addresses: ["temp@contoso.example"], names: ["Any questions?..."]),
                .init(sids: ["S-1-5-21-1-1-1-1"], addresses: ["kim@contoso.example"]),
                .init(addresses: ["lee@contoso.example"]),
            ]
        ),
        Shape(
            name: "a denial with a truncated name removes the rights of all users",
            files: [
                #"""
                [{"Identity":"sales","User":"NT AUTHORITY\\Authenticated Us...","AccessRights":["FullAccess"],"Deny":true,"IsInherited":false},
                 {"Identity":"sales","User":"lee@contoso.example","AccessRights":["FullAccess"],"Deny":false,"IsInherited":false}]
                """#
            ],
            unresolved: [#"NT AUTHORITY\Authenticated Us..."#],
            notes: [
                "FullAccess of lee@contoso.example is left out: a denial names an unresolved principal"
            ]
        ),
        Shape(
            name: "a folder entry with a truncated name removes the rights of groups and Default",
            files: [
                list(
                    folder("open", "open", "Organization Man...", "None"),
                    folder("open", "open", "Default"),
                    folder("cases", "cases", "Default")
                )
            ],
            entries: ["anyone lr none cases -"],
            unresolved: ["Organization Man..."],
            notes: ["open: rights of groups and everyone are left out"]
        ),
        Shape(
            name: "a folder's name with lost letters is left out",
            files: [list(folder("Entw\u{FFFD}rfe", "Entw\u{FFFD}rfe"), folder("open", "open"))],
            entries: ["kim@contoso.example lr none open -"],
            notes: ["its entries are left out, because letters of its name were lost"]
        ),
    ]

    // MARK: - The inbox

    static let inbox = [
        Shape(
            name: "the inbox in another language without FolderType is noted and grants nothing",
            files: [
                list(
                    folder("Posteingang", "Posteingang"),
                    folder(#"Posteingang\open"#, "open"),
                    folder("B\u{FC}ro", "B\u{FC}ro")
                )
            ],
            entries: ["kim@contoso.example lr none B\u{FC}ro -"],
            notes: [
                "Posteingang is left out, because it has no FolderType",
                #"Posteingang\open is left out, because it has no FolderType"#,
                "the inbox is unknown, because FolderType is missing: if it is one "
                    + "of B\u{FC}ro, Posteingang",
            ]
        ),
        Shape(
            name: "FolderType in one row identifies the inbox",
            files: [
                list(
                    folder("Bandeja de entrada", "Bandeja de entrada"),
                    folder(
                        "Bandeja de entrada",
                        "Bandeja de entrada",
                        "lee@contoso.example",
                        type: "Inbox"
                    )
                )
            ],
            entries: [
                "kim@contoso.example lr none INBOX -", "lee@contoso.example lr none INBOX -",
            ]
        ),
        Shape(
            name: "another folder named like an inbox is an ordinary folder",
            files: [list(folder("Inbox", "Inbox"), folder("Posteingang", "Posteingang"))],
            entries: [
                "kim@contoso.example lr none INBOX -", "kim@contoso.example lr none Posteingang -",
            ]
        ),
        Shape(
            name: "a folder with another FolderType is not the inbox",
            files: [list(folder("Posteingang", "Posteingang", type: "User Created"))],
            entries: ["kim@contoso.example lr none Posteingang -"]
        ),
    ]

    // MARK: - Spreadsheets

    private static let row = "sales;kim@contoso.example;SendAs;Allow"

    static let csv = [
        Shape(
            name: "a question mark in CSV with a byte order mark is literal",
            files: [
                "\u{FEFF}Identity,FolderName,User,AccessRights\nsales:\\Open?,Open?,kim@contoso.example,Reviewer\n"
            ],
            entries: ["kim@contoso.example lr none Open? -"]
        ),
        Shape(
            name: "a question mark in CSV with a letter outside ASCII is literal",
            files: [
                "Identity,FolderName,User,AccessRights\nsales:\\B\u{FC}ro?,B\u{FC}ro?,kim@contoso.example,Reviewer\n"
            ],
            entries: ["kim@contoso.example lr none B\u{FC}ro? -"]
        ),
        Shape(
            name: "a line that declares the delimiter",
            files: ["sep=;\nIdentity;Trustee;AccessRights;AccessControlType\n\(row)\n"],
            entries: ["kim@contoso.example - as all -"]
        ),
        Shape(
            name: "a quoted declaration of the delimiter before #TYPE",
            files: [
                "\"sep=;\"\r\n#TYPE X\r\nIdentity;Trustee;AccessRights;AccessControlType\r\n\(row)\r\n"
            ],
            entries: ["kim@contoso.example - as all -"]
        ),
        Shape(
            name: "empty columns and empty rows at the end",
            files: [
                "Identity;Trustee;AccessRights;AccessControlType;;\n\(row);;\n;;;;;\n\(row);;;;\n;\n"
            ],
            entries: ["kim@contoso.example - as all -"]
        ),
    ]

    @Test(arguments: [
        (
            "Identity,Trustee,AccessRights,AccessControlType\nsales,J?rgen,SendAs,Allow\n",
            "row 2, column Trustee: has letters that were lost (J?rgen): export it again with -Encoding "
                + "UTF8, in PowerShell 7 -Encoding utf8BOM"
        ),
        (
            "Identity,FolderName,User,AccessRights\nsales:\\B?ro,B?ro,kim@contoso.example,Reviewer\n",
            "row 2, column Identity: has letters that were lost"
        ),
        (
            "sep=,\nIdentity;Trustee;AccessRights\n\(row)\n",
            "its first line declares the delimiter ,, but the row of column names has no ,"
        ),
        (
            "Identity;Trustee;;AccessRights;AccessControlType\nsales;kim@contoso.example;;SendAs;Allow\n",
            "row 1: a column between others has no name"
        ),
        (
            "Identity;Trustee;AccessRights;AccessControlType;\n\(row);Deny\n",
            "row 2: 5 cells instead of 4, and Deny is in no column with a name"
        ),
        (
            "Identity,Trustee,AccessRights,AccessControlType\nsales,Akers, Kim,SendAs,Allow\n",
            "put a value that holds the delimiter into quotation marks"
        ),
        (
            "sep=;\nIdentity;Trustee;AccessRights;AccessControlType\nsales;kim@contoso.example\n",
            "row 3: 2 cells instead of 4; is the file cut off?"
        ),
        (
            "Identity;Identity;Trustee\na;b;c\n", "row 1: two columns have the same name"
        ),
        (
            "Identity,User,AccessRights,Deny,IsInherited\nsales...,kim@contoso.example,FullAccess,False,False\n",
            "column Identity: ends in sales... and may be cut"
        ),
    ])
    func `a refusal names its cause, and its remedy solves it`(
        _ text: String,
        _ reason: String
    ) throws {
        let error = try #require(throws: ReadingError.self) {
            _ = try PermissionsReader.read([("file", Data(text.utf8))])
        }
        #expect(error.description.contains(reason), "\(error)")
    }
}
