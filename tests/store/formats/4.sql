PRAGMA user_version = 4;
BEGIN TRANSACTION;
CREATE TABLE checkpoints (
            run TEXT PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
            at INTEGER NOT NULL,
            label TEXT NOT NULL,
            config TEXT NOT NULL,
            state BLOB NOT NULL
        , checksum INTEGER);
INSERT INTO "checkpoints" VALUES('bbbbbbbbbbbb',16,'update 16','{"dataset": "digits", "data_dir": null, "train_size": null, "norm": "batch", "norm_layers": null, "ghost_batch": 32, "ghost_updates": "each", "depth": 0, "width": 0.25, "optimizer": "adam", "lr_rule": "none", "lr_warmup": 0, "base_batch": 64, "batch_schedule": "", "seed": 3, "device": "auto", "threads": null, "epochs": 10, "steps": null, "knobs": {"batch_size": 64, "momentum": 0.5, "estimator": "momentum", "learning_rate": 0.001, "pace": "inf"}, "at": [], "twin": ""}',X'61207374617465',3483515187);
CREATE TABLE details (run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, kind TEXT NOT NULL, at INTEGER NOT NULL, checksum INTEGER, words TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (run, kind));
INSERT INTO "details" VALUES('aaaaaaaaaaaa','noise',20,4197468488,'{"update": 20, "scale": 12.5, "suggested_batch": 16, "measurements": 3, "low": 1.0, "high": 50.0, "low_68": 4.0, "high_68": 40.0}',X'');
CREATE TABLE marks (
            run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
            number INTEGER NOT NULL,
            at INTEGER NOT NULL,
            label TEXT NOT NULL,
            change TEXT NOT NULL, checksum INTEGER,
            PRIMARY KEY (run, number)
        );
INSERT INTO "marks" VALUES('aaaaaaaaaaaa',0,7,'momentum 0.97→0.9','momentum=0.9',153554237);
CREATE TABLE pieces (
            run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
            of TEXT NOT NULL,
            number INTEGER NOT NULL,
            count INTEGER NOT NULL,
            data BLOB NOT NULL,
            checksum INTEGER,
            PRIMARY KEY (run, of, number)
        );
CREATE TABLE points (
            run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
            series TEXT NOT NULL,
            chunk INTEGER NOT NULL,
            last INTEGER NOT NULL,
            updates BLOB NOT NULL,
            vals BLOB NOT NULL, checksum INTEGER,
            PRIMARY KEY (run, series, chunk)
        );
INSERT INTO "points" VALUES('aaaaaaaaaaaa','train_loss',0,20,X'0100000002000000030000000400000005000000060000000700000008000000090000000A0000000B0000000C0000000D0000000E0000000F0000001000000011000000120000001300000014000000',X'98ABA1B876BDEB3F1E3DAE1B1A0CE83FB2DAEDB896D8E43F6E6B2FBD2B12E23F51E8748AA654DF3F948C5FB9EC28DB3F38EF2C36568BD73F04EE8B0CF768D43FA1D3891E68B1D13FB526FC99E2ACCE3F07E3CA1A7E97CA3F8CDE77CF430DC73F0C497915ADFBC33FCC81BFA3AA52C13FD29C91FDA008BE3F8A81E7391A09BA3F5DEA897BD491B63F5B182E53AC90B33F33575876E8F5B03F22C1F4EACE67AD3F',1179466774);
INSERT INTO "points" VALUES('aaaaaaaaaaaa','seconds',0,20,X'0100000002000000030000000400000005000000060000000700000008000000090000000A0000000B0000000C0000000D0000000E0000000F0000001000000011000000120000001300000014000000',X'9A9999999999B93F9A9999999999C93F333333333333D33F9A9999999999D93F000000000000E03F333333333333E33F666666666666E63F9A9999999999E93FCDCCCCCCCCCCEC3F000000000000F03F9A9999999999F13F333333333333F33FCDCCCCCCCCCCF43F666666666666F63F000000000000F83F9A9999999999F93F333333333333FB3FCDCCCCCCCCCCFC3F666666666666FE3F0000000000000040',3823971825);
INSERT INTO "points" VALUES('aaaaaaaaaaaa','val_acc',0,20,X'050000000A0000000F00000014000000',X'E27A14AE47E1BA3F295C8FC2F528BC3F713D0AD7A370BD3FB91E85EB51B8BE3F',3234585532);
INSERT INTO "points" VALUES('bbbbbbbbbbbb','train_loss',0,20,X'0100000002000000030000000400000005000000060000000700000008000000090000000A0000000B0000000C0000000D0000000E0000000F0000001000000011000000120000001300000014000000',X'98ABA1B876BDEB3F1E3DAE1B1A0CE83FB2DAEDB896D8E43F6E6B2FBD2B12E23F51E8748AA654DF3F948C5FB9EC28DB3F38EF2C36568BD73F04EE8B0CF768D43FA1D3891E68B1D13FB526FC99E2ACCE3F07E3CA1A7E97CA3F8CDE77CF430DC73F0C497915ADFBC33FCC81BFA3AA52C13FD29C91FDA008BE3F8A81E7391A09BA3F5DEA897BD491B63F5B182E53AC90B33F33575876E8F5B03F22C1F4EACE67AD3F',1634352840);
INSERT INTO "points" VALUES('bbbbbbbbbbbb','seconds',0,20,X'0100000002000000030000000400000005000000060000000700000008000000090000000A0000000B0000000C0000000D0000000E0000000F0000001000000011000000120000001300000014000000',X'9A9999999999B93F9A9999999999C93F333333333333D33F9A9999999999D93F000000000000E03F333333333333E33F666666666666E63F9A9999999999E93FCDCCCCCCCCCCEC3F000000000000F03F9A9999999999F13F333333333333F33FCDCCCCCCCCCCF43F666666666666F63F000000000000F83F9A9999999999F93F333333333333FB3FCDCCCCCCCCCCFC3F666666666666FE3F0000000000000040',3336120509);
INSERT INTO "points" VALUES('bbbbbbbbbbbb','val_acc',0,20,X'050000000A0000000F00000014000000',X'E27A14AE47E1BA3F295C8FC2F528BC3F713D0AD7A370BD3FB91E85EB51B8BE3F',2726719451);
CREATE TABLE reports (
            run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
            at INTEGER NOT NULL,
            twin TEXT NOT NULL,
            figures TEXT NOT NULL, checksum INTEGER,
            PRIMARY KEY (run, at, twin)
        );
INSERT INTO "reports" VALUES('aaaaaaaaaaaa',16,'','{"epoch": 1, "update": 16, "seconds": 1.6, "images_per_s": 640.0, "loss": 1.0, "acc": 0.5, "val_loss": 2.85, "val_acc": 0.114, "val_loss_fresh": 0.5, "val_acc_fresh": 0.97, "layers": [{"name": "conv1_bn", "channels": 8, "positions": 784, "mean_gap": 0.42, "mean_gap_max": 1.9, "log_var_ratio": 1.589235205116581, "output_error": 0.6, "network_error": 0.8, "start_left": 0.38, "start_share": 0.9, "dead": 0, "non_finite": 0, "untouched": false}, {"name": "conv2_bn", "channels": 8, "positions": 784, "mean_gap": 0.42, "mean_gap_max": 1.9, "log_var_ratio": 1.589235205116581, "output_error": 0.6, "network_error": 0.8, "start_left": 0.38, "start_share": 0.9, "dead": 0, "non_finite": 0, "untouched": false}, {"name": "conv3_bn", "channels": 16, "positions": 784, "mean_gap": 0.42, "mean_gap_max": 1.9, "log_var_ratio": 1.589235205116581, "output_error": 0.6, "network_error": 0.8, "start_left": 0.38, "start_share": 0.9, "dead": 0, "non_finite": 0, "untouched": false}, {"name": "flatten_bn", "channels": 784, "positions": 784, "mean_gap": 0.42, "mean_gap_max": 1.9, "log_var_ratio": 1.589235205116581, "output_error": 0.6, "network_error": 0.8, "start_left": 0.38, "start_share": 0.9, "dead": 0, "non_finite": 0, "untouched": false}, {"name": "dense1_bn", "channels": 128, "positions": 784, "mean_gap": 0.42, "mean_gap_max": 1.9, "log_var_ratio": 1.589235205116581, "output_error": 0.6, "network_error": 0.8, "start_left": 0.38, "start_share": 0.9, "dead": 0, "non_finite": 0, "untouched": false}], "hindsight": [["0.9", 0.8], ["0.99", 0.114]], "twin": "", "noise": null}',1316353703);
INSERT INTO "reports" VALUES('bbbbbbbbbbbb',16,'','{"epoch": 1, "update": 16, "seconds": 1.6, "images_per_s": 640.0, "loss": 1.0, "acc": 0.5, "val_loss": 2.85, "val_acc": 0.114, "val_loss_fresh": 0.5, "val_acc_fresh": 0.97, "layers": [{"name": "conv1_bn", "channels": 8, "positions": 784, "mean_gap": 0.42, "mean_gap_max": 1.9, "log_var_ratio": 1.589235205116581, "output_error": 0.6, "network_error": 0.8, "start_left": 0.38, "start_share": 0.9, "dead": 0, "non_finite": 0, "untouched": false}, {"name": "conv2_bn", "channels": 8, "positions": 784, "mean_gap": 0.42, "mean_gap_max": 1.9, "log_var_ratio": 1.589235205116581, "output_error": 0.6, "network_error": 0.8, "start_left": 0.38, "start_share": 0.9, "dead": 0, "non_finite": 0, "untouched": false}, {"name": "conv3_bn", "channels": 16, "positions": 784, "mean_gap": 0.42, "mean_gap_max": 1.9, "log_var_ratio": 1.589235205116581, "output_error": 0.6, "network_error": 0.8, "start_left": 0.38, "start_share": 0.9, "dead": 0, "non_finite": 0, "untouched": false}, {"name": "flatten_bn", "channels": 784, "positions": 784, "mean_gap": 0.42, "mean_gap_max": 1.9, "log_var_ratio": 1.589235205116581, "output_error": 0.6, "network_error": 0.8, "start_left": 0.38, "start_share": 0.9, "dead": 0, "non_finite": 0, "untouched": false}, {"name": "dense1_bn", "channels": 128, "positions": 784, "mean_gap": 0.42, "mean_gap_max": 1.9, "log_var_ratio": 1.589235205116581, "output_error": 0.6, "network_error": 0.8, "start_left": 0.38, "start_share": 0.9, "dead": 0, "non_finite": 0, "untouched": false}], "hindsight": [["0.9", 0.8], ["0.99", 0.114]], "twin": "", "noise": null}',2124225678);
CREATE TABLE requests (run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, number INTEGER NOT NULL, command TEXT NOT NULL, at TEXT NOT NULL, checksum INTEGER, PRIMARY KEY (run, number));
CREATE TABLE runs (
            id TEXT PRIMARY KEY,
            state TEXT NOT NULL,
            started TEXT NOT NULL,
            ended TEXT NOT NULL,
            config TEXT NOT NULL,
            knobs TEXT NOT NULL,
            facts TEXT NOT NULL,
            versions TEXT NOT NULL,
            parent TEXT,
            branched INTEGER,
            message TEXT NOT NULL DEFAULT '',
            updates INTEGER NOT NULL DEFAULT 0,
            epoch INTEGER NOT NULL DEFAULT 0,
            images INTEGER NOT NULL DEFAULT 0,
            seconds REAL NOT NULL DEFAULT 0,
            loss REAL,
            acc REAL,
            val_acc REAL,
            val_acc_fresh REAL,
            checkpoint INTEGER,
            note TEXT NOT NULL DEFAULT '',
            pinned INTEGER NOT NULL DEFAULT 0,
            deleted TEXT
        , checksum INTEGER);
INSERT INTO "runs" VALUES('aaaaaaaaaaaa','finished','2026-11-24T11:01:51.619+00:00','2026-11-24T11:01:51.624+00:00','{"dataset": "digits", "data_dir": null, "train_size": null, "norm": "batch", "norm_layers": null, "ghost_batch": 32, "ghost_updates": "each", "depth": 0, "width": 0.25, "optimizer": "adam", "lr_rule": "none", "lr_warmup": 0, "base_batch": 64, "batch_schedule": "", "seed": 3, "device": "auto", "threads": null, "epochs": 10, "steps": null, "knobs": {"batch_size": 64, "momentum": 0.97, "estimator": "momentum", "learning_rate": 0.001, "pace": "inf"}, "at": [], "twin": ""}','{"batch_size": 64, "momentum": 0.97, "estimator": "momentum", "learning_rate": 0.001, "pace": "inf"}','{"device": "cpu", "dataset": "digits", "train": 4000, "validation": 1000, "parameters": 107722, "class_names": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], "activation_bytes": 350000, "threads": 0}','{"bntui": "0.1.0", "python": "3.11.7", "torch": "2.14.1", "numpy": "2.4.6"}',NULL,NULL,'',20,2,1280,2.0,1.0,0.5,0.114,0.97,NULL,'kept by format 4',1,NULL,1727759079);
INSERT INTO "runs" VALUES('bbbbbbbbbbbb','stopped','2026-11-24T11:01:51.636+00:00','2026-11-24T11:01:51.648+00:00','{"dataset": "digits", "data_dir": null, "train_size": null, "norm": "batch", "norm_layers": null, "ghost_batch": 32, "ghost_updates": "each", "depth": 0, "width": 0.25, "optimizer": "adam", "lr_rule": "none", "lr_warmup": 0, "base_batch": 64, "batch_schedule": "", "seed": 3, "device": "auto", "threads": null, "epochs": 10, "steps": null, "knobs": {"batch_size": 64, "momentum": 0.97, "estimator": "momentum", "learning_rate": 0.001, "pace": "inf"}, "at": [], "twin": ""}','{"batch_size": 64, "momentum": 0.97, "estimator": "momentum", "learning_rate": 0.001, "pace": "inf"}','{"device": "cpu", "dataset": "digits", "train": 4000, "validation": 1000, "parameters": 107722, "class_names": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], "activation_bytes": 350000, "threads": 0}','{"bntui": "0.1.0", "python": "3.11.7", "torch": "2.14.1", "numpy": "2.4.6"}',NULL,NULL,'',20,2,1280,2.0,1.0,0.5,0.114,0.97,16,'',0,NULL,764764340);
CREATE TABLE verdicts (
            run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
            at INTEGER NOT NULL,
            cause TEXT NOT NULL,
            words TEXT NOT NULL, checksum INTEGER,
            PRIMARY KEY (run, at, cause)
        );
CREATE TABLE weights (
            run TEXT PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
            at INTEGER NOT NULL,
            data BLOB NOT NULL
        , checksum INTEGER);
INSERT INTO "weights" VALUES('bbbbbbbbbbbb',20,X'77656967687473',478451023);
COMMIT;
