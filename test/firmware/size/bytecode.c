/* Prints the size of the XS bytecode that each module given compiles to, as xsc of the SDK would for a release. */

#include "xsAll.h"
#include "xsScript.h"

static int readCharacter(void* file)
{
	return fgetc((FILE*)file);
}

int main(int argc, char* argv[])
{
	txCreation creation = { 1 << 22, 1 << 20, 1 << 16, 1 << 14, 4096, 8192, 1024, 1993, 127, 1 << 20, 1993 };
	int index;
	fxInitializeSharedCluster();
	txMachine* the = fxCreateMachine(&creation, "bytecode", NULL, XS_NO_ID);
	for (index = 1; index < argc; index++) {
		FILE* file = fopen(argv[index], "rb");
		txScript* script;
		if (file == NULL)
			return 1;
		fxBeginHost(the);
		script = fxParseScript(the, file, readCharacter, 0);
		fxEndHost(the);
		fclose(file);
		if (script == NULL)
			return 1;
		printf("%d\n", (int)script->codeSize);
		fxDeleteScript(script);
	}
	return 0;
}
